internal import DequeModule
internal import StreamModel
internal import Targets

/// Suspects that wait for their next look, each as long as the one before it: so the first is always the first that is due.
///
/// Bounded: who finds one more waits for room, and so reads no further.
actor SuspectQueue {
    struct Entry: Sendable {
        var suspect: Suspect
        let due: Duration
    }

    static let room = 4096
    /// Looked at together; two copies of each are in memory then.
    static let together = 25

    private let surroundings: Surroundings
    private var entries: Deque<Entry> = []
    /// Taken for a look, and not yet decided.
    private var underway = 0
    private var isClosed = false
    private var isAborted = false
    private var finders: [CheckedContinuation<Void, Never>] = []
    private var looker: CheckedContinuation<Void, Never>?

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    /// - Throws: `CancellationError` once the comparison has failed.
    func add(_ suspect: Suspect, due: Duration) async throws {
        while entries.count + underway >= Self.room, !isAborted {
            await withCheckedContinuation { finders.append($0) }
        }
        guard !isAborted else { throw CancellationError() }
        entries.append(Entry(suspect: suspect, due: due))
        wakeLooker()
    }

    /// The next ones once the first of them is due, `nil` when none will come any more. All of the ones before are decided by then.
    ///
    /// - Throws: `CancellationError`.
    func next() async throws -> [Suspect]? {
        underway = 0
        makeRoom()
        while true {
            guard !isAborted else { throw CancellationError() }
            if let first = entries.first {
                let wait = first.due - surroundings.uptime()
                guard wait <= .zero else {
                    try await surroundings.sleep(for: wait)
                    continue
                }
                let now = surroundings.uptime()
                var suspects: [Suspect] = []
                while suspects.count < Self.together, let entry = entries.first, entry.due <= now {
                    suspects.append(entries.removeFirst().suspect)
                }
                underway = suspects.count
                return suspects
            }
            guard !isClosed else { return nil }
            await withCheckedContinuation { looker = $0 }
        }
    }

    /// One that was taken, and must be looked at again.
    func again(_ suspect: Suspect, due: Duration) { entries.append(Entry(suspect: suspect, due: due)) }

    /// No more are found.
    func close() {
        isClosed = true
        wakeLooker()
    }

    func abort() {
        isAborted = true
        wakeLooker()
        makeRoom()
    }

    private func wakeLooker() {
        looker?.resume()
        looker = nil
    }

    private func makeRoom() {
        for finder in finders { finder.resume() }
        finders = []
    }
}
