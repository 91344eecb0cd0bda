import StreamModel

@testable import Journal

extension Journal {
    /// All entries of the log, as they lie there.
    func exported() throws(JournalError) -> [ExportedEntry] {
        var export = try export()
        var entries: [ExportedEntry] = []
        while true {
            let next = try export.next()
            guard !next.isEmpty else { return entries }
            entries += next
        }
    }

    /// A journal of many kinds of events, with folded advances and folded history, by `clock`.
    static func fillAndFold(_ path: String, _ clock: Ticking, seed: UInt64 = 7) async throws {
        try await use(path, clock) { journal in
            var history = RandomHistory(seed: seed, shards: 12)
            for _ in 1...600 {
                clock.advance(90)
                history.take(try await journal.append(history.next()))
            }
            for _ in 1...3 {
                clock.advance(4 * 24 * 3600)
                try journal.compactAll(clock.now, limit: 64)
                for _ in 1...200 {
                    clock.advance(30)
                    history.take(try await journal.append(history.next()))
                }
            }
        }
    }
}
