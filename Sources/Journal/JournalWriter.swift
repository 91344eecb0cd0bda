internal import Dispatch
internal import Glibc
internal import LMDB
internal import StreamModel
internal import Synchronization

/// Appends, from one thread of its own: many callers' events in one transaction and one fsync.
///
/// LMDB wants a write transaction on one thread, and an fsync must not hold one of Swift's. The queue is bounded by its
/// callers, each of whom waits for its append.
final class JournalWriter: Sendable {
    struct Request {
        let drafts: [Draft]
        let continuation: CheckedContinuation<Result<[Receipt], JournalError>, Never>
    }

    private enum Work {
        case append(Request)
        /// Which shards other processes have appended to since the last time.
        case foreign(CheckedContinuation<Result<[ShardKey], JournalError>, Never>)
        case end(CheckedContinuation<Void, Never>)
    }

    /// A transaction takes at most so many appends: past that, a batch gains nothing and its callers only wait longer.
    private static let maximumBatch = 4096
    /// How much of the last commit's time may be waited for appends that are on their way. Without it a closed loop splits in
    /// two halves that take turns, and commits carry half of what they could (LIMITS 6).
    private static let lingerShare = 0.3
    /// And never longer than that, in nanoseconds.
    private static let maximumLinger: UInt64 = 2_000_000

    private struct Queue {
        var work: [Work] = []
        /// The thread waits to be woken.
        var isAsleep = false
        var hasEnded = false
    }

    private let queue = Mutex(Queue())
    private let arrived = DispatchSemaphore(value: 0)
    private let store: Store
    private struct Seen {
        /// The newest transaction that this writer made or has taken over, to tell others' by.
        var transaction: Int
        /// An append met what others had appended, and nobody has been told of it yet.
        var hasNews = false
    }

    private let seen: Mutex<Seen>

    init(store: Store, _ thread: WriterThread) {
        self.store = store
        seen = Mutex(Seen(transaction: thread.transaction))
        DispatchQueue(label: "shake.journal.writer").async { [self] in work(thread) }
    }

    // MARK: - Callers

    func append(_ drafts: [Draft]) async throws(JournalError) -> [Receipt] {
        try await withCheckedContinuation { continuation in
            enqueue(.append(Request(drafts: drafts, continuation: continuation)))
        }.get()
    }

    func foreignAppends() async throws(JournalError) -> [ShardKey] {
        let seen = seen.withLock { $0 }
        guard seen.hasNews || store.environment.lastTransaction != seen.transaction else { return [] }
        return try await withCheckedContinuation { enqueue(.foreign($0)) }.get()
    }

    /// Everything that was asked for before is durable when this returns.
    func end() async { await withCheckedContinuation { enqueue(.end($0)) } }

    private func enqueue(_ work: Work) {
        let (isTaken, wakes) = queue.withLock { queue in
            guard !queue.hasEnded else { return (false, false) }
            queue.work.append(work)
            defer { queue.isAsleep = false }
            return (true, queue.isAsleep)
        }
        if wakes { arrived.signal() }
        if !isTaken { refuse(work) }
    }

    /// The thread has ended: whoever comes now must not wait for it.
    private func refuse(_ work: Work) {
        switch work {
        case .append(let request): request.continuation.resume(returning: .failure(.closed(path: store.path)))
        case .foreign(let continuation): continuation.resume(returning: .success([]))
        case .end(let continuation): continuation.resume()
        }
    }

    // MARK: - The thread

    private func work(_ begun: consuming WriterThread) {
        var thread = begun
        var batch = Batch()
        while true {
            sleepUntilWork(expecting: batch.requests.count, atMost: Self.linger(after: batch.commitTime))
            batch.clear()
            var (asking, ended) = take(into: &batch)
            if !batch.requests.isEmpty {
                let deadline = DispatchTime.now().uptimeNanoseconds + Self.linger(after: batch.commitTime)
                thread.append(&batch) { batch in
                    // While these were folded, the next have come; and when there are none, some may be on their way.
                    repeat {
                        let more = take(into: &batch)
                        asking += more.asking
                        ended = ended ?? more.ended
                        if !batch.isWhole { return true }
                        guard batch.requests.count < min(batch.expected, Self.maximumBatch) else { return false }
                        sched_yield()
                    } while DispatchTime.now().uptimeNanoseconds < deadline
                    return false
                }
                seen.withLock { $0 = Seen(transaction: thread.transaction, hasNews: thread.hasNews) }
                for (request, result) in zip(batch.requests, batch.results) { request.continuation.resume(returning: result) }
            }
            if !asking.isEmpty {
                let answer = thread.foreignAppends()
                seen.withLock { $0 = Seen(transaction: thread.transaction, hasNews: thread.hasNews) }
                for (index, continuation) in asking.enumerated() {
                    continuation.resume(returning: index == 0 ? answer : .success([]))
                }
            }
            if let ended {
                ended.resume()
                return
            }
        }
    }

    private typealias Others = (
        asking: [CheckedContinuation<Result<[ShardKey], JournalError>, Never>], ended: CheckedContinuation<Void, Never>?
    )

    /// Takes what waits: appends into `batch`, as far as it may still grow, and the rest out.
    private func take(into batch: inout Batch) -> Others {
        var others: Others = ([], nil)
        let room = Self.maximumBatch - batch.requests.count
        let work = queue.withLock { queue in
            let taken = queue.work.count <= room ? queue.work : Array(queue.work.prefix(room))
            if taken.count == queue.work.count {
                queue.work.removeAll(keepingCapacity: true)
            } else {
                queue.work.removeFirst(taken.count)
            }
            // In the same moment as the last look, so that nothing can come between.
            queue.hasEnded = queue.hasEnded || taken.contains { if case .end = $0 { true } else { false } }
            return taken
        }
        for item in work {
            switch item {
            case .append(let request): batch.requests.append(request)
            case .foreign(let continuation): others.asking.append(continuation)
            case .end(let continuation): others.ended = continuation
            }
        }
        return others
    }

    /// Where a batch of several has just been answered, more will be here at once, and to sleep and be woken takes longer.
    private func sleepUntilWork(expecting count: Int, atMost linger: UInt64) {
        if count > 1 {
            let deadline = DispatchTime.now().uptimeNanoseconds + linger
            while queue.withLock({ $0.work.isEmpty }), DispatchTime.now().uptimeNanoseconds < deadline { sched_yield() }
        }
        let isEmpty = queue.withLock { queue in
            queue.isAsleep = queue.work.isEmpty
            return queue.isAsleep
        }
        if isEmpty { arrived.wait() }
    }

    private static func linger(after commitTime: UInt64) -> UInt64 {
        min(UInt64(Double(commitTime) * lingerShare), maximumLinger)
    }
}

/// Appends of one transaction, as they come, and their answers.
struct Batch {
    var requests: [JournalWriter.Request] = []
    /// One for each request that was looked at.
    var results: [Result<[Receipt], JournalError>] = []
    /// As many as the batch before held: of those who wait for an answer most come back.
    private(set) var expected = 0
    /// Nanoseconds that the last commit took.
    var commitTime: UInt64 = 0

    /// Whether every request was looked at.
    var isWhole: Bool { results.count == requests.count }

    mutating func clear() {
        expected = requests.count
        requests.removeAll(keepingCapacity: true)
        results.removeAll(keepingCapacity: true)
    }

    /// Answers all, whatever was said before.
    mutating func fail(_ error: JournalError) { results = requests.map { _ in .failure(error) } }
}

/// What the writer's thread holds and nobody else sees.
struct WriterThread: Sendable {
    private let store: Store
    /// `nil` after a transaction that failed: the next one loads it anew.
    private var state: LogState?
    /// The newest transaction whose events `state` has, or had.
    private(set) var transaction: Int
    private var run: RunID?
    /// To be appended before the first event of this run, where it is not yet.
    private var starting: RunStarted?
    private var foreign: Set<ShardKey> = []
    var hasNews: Bool { !foreign.isEmpty }
    private var failure: JournalError?

    init(store: Store, state: LogState, transaction: Int, run: RunStarted?) {
        self.store = store
        self.state = state
        self.transaction = transaction
        starting = run
    }

    /// Writes the run's start, on whatever thread.
    mutating func begin() throws(JournalError) {
        while true {
            do throws(JournalError) {
                var batch = Batch()
                return try tryAppend(&batch) { _ in false }
            } catch {
                guard case .storage(let storage) = error, storage.isMapFull else { throw error }
                try growMap()
            }
        }
    }

    /// One transaction for all; one answer for each. What conflicts or is refused fails alone.
    ///
    /// - Parameter gather: puts what has come meanwhile into the batch; `false` when the batch is to be closed.
    mutating func append(_ batch: inout Batch, _ gather: (inout Batch) -> Bool) {
        if let failure { return batch.fail(failure) }
        while true {
            do {
                return try tryAppend(&batch, gather)
            } catch .storage(let error) where error.isMapFull {
                do throws(JournalError) { try growMap() } catch { return batch.fail(error) }
            } catch {
                return batch.fail(error)
            }
        }
    }

    private mutating func tryAppend(_ batch: inout Batch, _ gather: (inout Batch) -> Bool) throws(JournalError) {
        var began = 0
        let (store, starting, known, held) = (store, starting, transaction, state != nil)
        // The state is changed in place, for copying it would cost every append as much as there are shards. A transaction
        // that fails leaves none, and the next one loads it anew.
        var stage = Stage(state: state.take() ?? LogState(), run: run)
        var theirs: Set<ShardKey> = []
        var folded: UInt64 = 0
        batch.results.removeAll(keepingCapacity: true)
        do throws(JournalError) {
            try store.environment.write { (transaction) throws(JournalError) in
                began = transaction.id
                if began != known + 1 || !held {
                    let fresh = try store.state(transaction)
                    // Another process committed meanwhile: what it left is where this append goes on.
                    if began != known + 1 { theirs = fresh.differences(from: stage.state) }
                    stage = Stage(state: fresh, run: stage.run)
                }
                let blank = starting == nil ? nil : stage
                if let starting { try stage.start(starting) }
                repeat {
                    for request in batch.requests[batch.results.count...] { batch.results.append(stage.admit(request.drafts)) }
                    // Nothing of what this run came for can be written: it leaves no trace.
                    if let blank, !batch.results.isEmpty, batch.results.allSatisfy({ $0.isFailure }) { stage = blank }
                    do throws(LMDBError) { try stage.putEvents(into: &transaction, store.schema) } catch { throw .storage(error) }
                } while starting == nil && gather(&batch)
                do throws(LMDBError) { try stage.putStates(into: &transaction, store.schema) } catch { throw .storage(error) }
                folded = DispatchTime.now().uptimeNanoseconds
            }
        } catch {
            throw commitError(error)
        }
        batch.commitTime = DispatchTime.now().uptimeNanoseconds - folded
        foreign.formUnion(theirs)
        state = stage.state
        run = stage.run
        if run != nil { self.starting = nil }
        // LMDB makes no transaction of one that wrote nothing, and its number goes to whoever writes next.
        transaction = stage.isEmpty ? began - 1 : began
    }

    /// What other processes have appended to since this was last asked.
    mutating func foreignAppends() -> Result<[ShardKey], JournalError> {
        if let failure { return .failure(failure) }
        do throws(JournalError) {
            if store.environment.lastTransaction != transaction {
                var snapshot = 0
                let fresh = try store.read { (transaction) throws(JournalError) in
                    snapshot = transaction.id
                    return try store.state(transaction)
                }
                // Without a state of its own to compare with, every shard may have changed.
                foreign.formUnion(fresh.differences(from: state ?? LogState()))
                state = fresh
                transaction = snapshot
            }
            defer { foreign = [] }
            return .success(foreign.sorted())
        } catch {
            return .failure(error)
        }
    }

    private mutating func growMap() throws(JournalError) {
        let size = store.environment.mapSize
        let (doubled, overflows) = size.multipliedReportingOverflow(by: 2)
        guard !overflows, doubled <= 1 << 46 else { throw .mapFull(path: store.path, bytes: size) }
        do throws(LMDBError) { try store.environment.grow(to: doubled) } catch { throw .mapFull(path: store.path, bytes: size) }
    }

    private mutating func commitError(_ error: JournalError) -> JournalError {
        guard case .storage(let storage) = error else { return error }
        if storage.isMapFull { return error }
        if storage.isPanic { failure = .closed(path: store.path) }
        if storage.isCorrupted || storage.isForeign { return store.translated(error) }
        switch storage.code {
        case EIO, ENOSPC, EDQUOT, EFBIG:
            return .disk(path: store.path, reason: "\(storage) (a full disk shows like this too)")
        case EROFS, EACCES, EPERM:
            return .readOnly(path: store.path, reason: "\(storage)")
        default: return error
        }
    }
}

extension Result {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
