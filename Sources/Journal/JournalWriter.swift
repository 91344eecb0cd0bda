internal import Dispatch
internal import Glibc
internal import LMDB
internal import StreamModel
internal import Synchronization

/// Appends, from one thread of its own: many callers' events in one transaction and one fsync.
///
/// LMDB wants a write transaction on one thread, and an fsync must not hold one of Swift's. The queue is bounded by its
/// callers, each of whom waits for its append.
final class JournalWriter: Appending {
    struct Request {
        let drafts: [Draft]
        let answer: Answer
    }

    /// The appends of one transaction.
    struct Batch {
        var requests: [Request] = []
        /// One for each request that has been looked at, in order.
        var results: [Result<[Receipt], JournalError>] = []
        /// How many the transaction before had.
        private(set) var expected = 0

        /// Answers every request and begins anew.
        ///
        /// Whoever lets go of memory last has to free it. So what was asked is let go before the caller runs again, and the
        /// answer is given away: both are freed by the callers, which are many, and not by the one thread that writes.
        mutating func answer() {
            expected = requests.count
            var answers = requests.reversed().map(\.answer)
            requests.removeAll(keepingCapacity: true)
            results.reverse()
            while let answer = answers.popLast(), let result = results.popLast() { answer.give(result) }
        }
    }

    /// A transaction takes at most so many appends: past that, a batch gains nothing and its callers only wait longer.
    private static let maximumBatch = 4096
    /// How much of the last commit's time may be waited idly for appends that are on their way. Without it a closed loop
    /// splits in two halves that take turns, and commits carry half of what they could (LIMITS 6).
    private static let lingerShare = 0.3
    private static let longestLinger: UInt64 = 2_000_000

    private struct Queue {
        var appends: [Request] = []
        /// Which shards other processes have appended to since the last time.
        var asking: [CheckedContinuation<Result<Set<Subject>, JournalError>, Never>] = []
        var ending: CheckedContinuation<Void, Never>?
        /// The thread waits for `arrived`.
        var isAsleep = false
        var hasEnded = false
    }

    private let queue = Mutex(Queue())
    /// How many appends are in the queue, to be looked at without its lock.
    private let waiting = Atomic(0)
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
        try await unsafe withUnsafeContinuation { continuation in
            let answer = unsafe Answer(continuation)
            let isTaken = enqueue { queue in
                queue.appends.append(Request(drafts: drafts, answer: answer))
                waiting.store(queue.appends.count, ordering: .relaxed)
            }
            if !isTaken { answer.give(.failure(.closed(path: store.path))) }
        }.get()
    }

    func foreignAppends() async throws(JournalError) -> Set<Subject> {
        let seen = seen.withLock { $0 }
        guard seen.hasNews || store.environment.lastTransaction != seen.transaction else { return [] }
        return try await withCheckedContinuation { continuation in
            if !enqueue({ $0.asking.append(continuation) }) { continuation.resume(returning: .success([])) }
        }.get()
    }

    /// Everything that was asked for before is durable when this returns.
    func end() async {
        await withCheckedContinuation { continuation in
            if !enqueue({ $0.ending = continuation }) { continuation.resume() }
        }
    }

    /// `false` where the thread has ended: whoever comes then must not wait for it.
    private func enqueue(_ add: (inout Queue) -> Void) -> Bool {
        let (isTaken, wakes) = queue.withLock { queue in
            guard !queue.hasEnded else { return (false, false) }
            add(&queue)
            defer { queue.isAsleep = false }
            return (true, queue.isAsleep)
        }
        if wakes { arrived.signal() }
        return isTaken
    }

    // MARK: - The thread

    private func work(_ begun: consuming WriterThread) {
        var thread = begun
        var batch = Batch()
        while true {
            let (asking, ending) = next(&batch)
            // At the end one transaction may not have room for all that still waits.
            repeat { append(&batch, &thread) } while ending != nil && take(into: &batch)
            if !asking.isEmpty {
                let answer = thread.foreignAppends()
                note(thread)
                for (index, continuation) in asking.enumerated() {
                    continuation.resume(returning: index == 0 ? answer : .success([]))
                }
            }
            if let ending {
                ending.resume()
                return
            }
        }
    }

    /// What came since the last look; sleeps while there is nothing.
    private func next(
        _ batch: inout Batch
    ) -> (
        asking: [CheckedContinuation<Result<Set<Subject>, JournalError>, Never>],
        ending: CheckedContinuation<Void, Never>?
    ) {
        while true {
            let isEmpty = queue.withLock { queue in
                queue.isAsleep = queue.appends.isEmpty && queue.asking.isEmpty && queue.ending == nil
                return queue.isAsleep
            }
            if isEmpty { arrived.wait() }
            _ = take(into: &batch)
            let (asking, ending) = queue.withLock { queue in
                defer { queue.asking.removeAll() }
                // From here on nothing can come, so what is taken next is the last.
                queue.hasEnded = queue.ending != nil
                return (queue.asking, queue.ending)
            }
            return (asking, ending)
        }
    }

    /// Moves what waits into `batch`, as far as there is room; `false` where nothing was moved.
    private func take(into batch: inout Batch) -> Bool {
        queue.withLock { queue in
            let count = min(queue.appends.count, Self.maximumBatch - batch.requests.count)
            if batch.requests.isEmpty, count == queue.appends.count {
                swap(&batch.requests, &queue.appends)
            } else {
                batch.requests += queue.appends.prefix(count)
                queue.appends.removeFirst(count)
            }
            waiting.store(queue.appends.count, ordering: .relaxed)
            return count > 0
        }
    }

    private func append(_ batch: inout Batch, _ thread: inout WriterThread) {
        guard !batch.requests.isEmpty else { return }
        var idle = min(UInt64(Double(thread.lastCommit) * Self.lingerShare), Self.longestLinger)
        thread.append(&batch) { gather(into: &$0, idle: &idle) }
        note(thread)
        batch.answer()
    }

    /// Takes what came while the transaction was open. Where it has fewer appends than the last one had, yields for up to
    /// `idle` nanoseconds in all until there are more.
    private func gather(into batch: inout Batch, idle: inout UInt64) -> Bool {
        var looked = DispatchTime.now().uptimeNanoseconds
        while waiting.load(ordering: .relaxed) == 0 {
            guard batch.requests.count < batch.expected, idle > 0 else { return false }
            sched_yield()
            let now = DispatchTime.now().uptimeNanoseconds
            idle -= min(idle, now - looked)
            looked = now
        }
        return take(into: &batch)
    }

    private func note(_ thread: borrowing WriterThread) {
        let now = Seen(transaction: thread.transaction, hasNews: thread.hasNews)
        seen.withLock { $0 = now }
    }
}
