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

    private struct Queue {
        var work: [Work] = []
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
        let isFirst: Bool? = queue.withLock { queue in
            guard !queue.hasEnded else { return nil }
            queue.work.append(work)
            return queue.work.count == 1
        }
        switch isFirst {
        case true?: arrived.signal()
        case false?: break
        case nil: refuse(work)
        }
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
        var lastBatch = 0
        var lastCommit: UInt64 = 0
        while true {
            arrived.wait()
            linger(for: min(lastBatch, Self.maximumBatch), atMost: UInt64(Double(lastCommit) * Self.lingerShare))
            let work = queue.withLock { queue in
                defer { queue.work.removeAll(keepingCapacity: true) }
                // In the same moment as the last look, so that nothing can come between.
                queue.hasEnded = queue.work.contains { if case .end = $0 { true } else { false } }
                return queue.work
            }
            var requests: [Request] = []
            var ended: CheckedContinuation<Void, Never>?
            var asking: [CheckedContinuation<Result<[ShardKey], JournalError>, Never>] = []
            for item in work {
                switch item {
                case .append(let request): requests.append(request)
                case .foreign(let continuation): asking.append(continuation)
                case .end(let continuation): ended = continuation
                }
            }
            var rest = requests[...]
            while !rest.isEmpty {
                let batch = rest.prefix(Self.maximumBatch)
                rest = rest.dropFirst(batch.count)
                let began = DispatchTime.now().uptimeNanoseconds
                let results = thread.append(batch)
                lastCommit = DispatchTime.now().uptimeNanoseconds - began
                lastBatch = batch.count
                seen.withLock { $0 = Seen(transaction: thread.transaction, hasNews: thread.hasNews) }
                for (request, result) in zip(batch, results) { request.continuation.resume(returning: result) }
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

    /// Yields while fewer wait than the last batch held.
    private func linger(for count: Int, atMost nanoseconds: UInt64) {
        guard count > 1, nanoseconds > 0 else { return }
        let deadline = DispatchTime.now().uptimeNanoseconds + min(nanoseconds, 2_000_000)
        while queue.withLock({ $0.work.count }) < count, DispatchTime.now().uptimeNanoseconds < deadline { sched_yield() }
    }
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
                _ = try tryAppend([])
                return
            } catch {
                guard case .storage(let storage) = error, storage.isMapFull else { throw error }
                try growMap()
            }
        }
    }

    /// One transaction for all; one answer for each. What conflicts or is refused fails alone.
    mutating func append(_ requests: ArraySlice<JournalWriter.Request>) -> [Result<[Receipt], JournalError>] {
        if let failure { return requests.map { _ in .failure(failure) } }
        while true {
            do {
                return try tryAppend(requests)
            } catch .storage(let error) where error.isMapFull {
                do throws(JournalError) { try growMap() } catch { return requests.map { _ in .failure(error) } }
            } catch {
                return requests.map { _ in .failure(error) }
            }
        }
    }

    private mutating func tryAppend(
        _ requests: ArraySlice<JournalWriter.Request>
    ) throws(JournalError) -> [Result<[Receipt], JournalError>] {
        var results: [Result<[Receipt], JournalError>] = []
        var began = 0
        let (store, starting, known, held) = (store, starting, transaction, state != nil)
        // The state is changed in place, for copying it would cost every append as much as there are shards. A transaction
        // that fails leaves none, and the next one loads it anew.
        var stage = Stage(state: state.take() ?? LogState(), run: run)
        var theirs: Set<ShardKey> = []
        do throws(JournalError) {
            try store.environment.write { (transaction) throws(JournalError) in
                began = transaction.id
                if began != known + 1 || !held {
                    let fresh = try store.state(transaction)
                    // Another process committed meanwhile: what it left is where this append goes on.
                    if began != known + 1 { theirs = fresh.differences(from: stage.state) }
                    stage = Stage(state: fresh, run: stage.run)
                }
                if let starting {
                    let before = stage
                    try stage.start(starting)
                    for request in requests { results.append(stage.admit(request.drafts)) }
                    // Nothing of what this run came for can be written: it leaves no trace.
                    if !requests.isEmpty, results.allSatisfy({ $0.isFailure }) { stage = before }
                } else {
                    for request in requests { results.append(stage.admit(request.drafts)) }
                }
                try stage.write(to: &transaction, store)
            }
        } catch {
            throw commitError(error)
        }
        foreign.formUnion(theirs)
        state = stage.state
        run = stage.run
        if run != nil { self.starting = nil }
        // LMDB makes no transaction of one that wrote nothing, and its number goes to whoever writes next.
        transaction = stage.isEmpty ? began - 1 : began
        return results
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

/// A transaction's worth of appends, folded and not yet durable.
private struct Stage {
    var state: LogState
    var run: RunID?
    private var entries: [Append.Entry] = []
    private var named: [(ordinal: UInt32, key: ShardKey)] = []
    private var changedShards: Set<UInt32> = []
    private var changedTables: Set<TableName> = []
    private var startedDaemon: Position?

    init(state: LogState, run: RunID?) {
        self.state = state
        self.run = run
    }

    var isEmpty: Bool { entries.isEmpty }

    mutating func start(_ started: RunStarted) throws(JournalError) {
        _ = try admit([Draft(run: .runStarted(started))]).get()
        run = RunID(state.last)
    }

    mutating func admit(_ drafts: [Draft]) -> Result<[Receipt], JournalError> {
        var append = Append(state, time: .now(), run: run)
        do throws(JournalError) { try append.admit(drafts, to: state) } catch { return .failure(error) }
        let changed = append.fold(into: &state)
        changedShards.formUnion(changed.shards)
        changedTables.formUnion(changed.tables)
        entries += append.entries
        named += append.named
        startedDaemon = append.startedDaemon ?? startedDaemon
        return .success(append.receipts)
    }

    /// Log, names, index, and one put for each state that changed, however many events changed it.
    func write(to transaction: inout WriteTransaction, _ store: Store) throws(JournalError) {
        let schema = store.schema
        do throws(LMDBError) {
            for entry in entries {
                let key = Schema.key(entry.position)
                try transaction.put(entry.value, for: key, in: schema.log, appending: true)
                if let (shard, revision) = entry.indexed {
                    try transaction.put(key, for: Schema.key(shard: shard, revision), in: schema.index)
                }
            }
            for (ordinal, shard) in named {
                let key = Schema.key(shard: ordinal)
                try transaction.put(sealed(WireFormat.encode(shard), key), for: key, in: schema.shards)
            }
            for ordinal in changedShards {
                guard let shard = state[ordinal] else { continue }
                let key = Schema.key(shard: ordinal)
                try transaction.put(sealed(WireFormat.encode(shard.checkpoint), key), for: key, in: schema.checkpoints)
            }
            for name in changedTables {
                guard let table = state.tables[name] else { continue }
                let key = Schema.key(name)
                try transaction.put(sealed(WireFormat.encode(table), key), for: key, in: schema.tables)
            }
            if let startedDaemon {
                try transaction.put(Schema.key(startedDaemon), for: Schema.lastDaemonRunKey, in: schema.meta)
            }
        } catch {
            throw .storage(error)
        }
    }

    private func sealed(_ unsealed: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var value = unsealed
        Sealed.seal(&value, under: key)
        return value
    }
}

extension Result {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
