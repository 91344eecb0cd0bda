import StreamModel

@testable import Journal

/// What a whole journal says, to hold against what is read from a copy of it.
struct Truth: Equatable, Sendable {
    let events: [Event]
    let checkpoints: [Checkpoint]
    let tables: [TableState]

    init(_ journal: Journal) throws(JournalError) {
        events = try journal.everything()
        checkpoints = try journal.checkpoints()
        tables = try journal.tables()
    }

    /// Opens a copy as the daemon does, reads all of it, appends to it, verifies it and reads it again.
    ///
    /// - Parameters:
    ///   - truths: what the copy may say, each a durable prefix; what it says must be one of them, whole.
    ///   - opened: told once the journal is open: from then on nothing may be refused any more.
    /// - Returns: the refusal, and what was wrong; neither where all is right.
    static func judge(
        _ path: String, by truths: [Truth], opened: () throws -> Void = {}
    ) async throws -> (refusal: JournalError?, wrong: String?) {
        let journal: Journal
        do throws(JournalError) {
            journal = try Journal.open(path, .daemon(Sample.daemon), mapSize: 16 << 20)
        } catch {
            return (error, nil)
        }
        try opened()
        var wrong: String?
        do throws(JournalError) {
            wrong = try await use(journal, truths)
        } catch {
            wrong = "it was opened, and then: \(error)"
        }
        await journal.close(reason: "judged")
        return (nil, wrong)
    }

    private static func use(_ journal: Journal, _ truths: [Truth]) async throws(JournalError) -> String? {
        let before = try Truth(journal)
        guard let truth = truths.first(where: { before.events.dropLast().elementsEqual($0.events) }) else {
            return "its \(before.events.count) events are no durable prefix and the start of a run"
        }
        guard before.checkpoints == truth.checkpoints, before.tables == truth.tables else {
            return "what is kept of its shards or tables is not the fold of its events"
        }
        for checkpoint in truth.checkpoints {
            let history = try journal.history(of: checkpoint.shard, HistoryQuery())
            guard history == truth.events.filter({ $0.subject == .shard(checkpoint.shard) }),
                try journal.history(of: checkpoint.shard, HistoryQuery(newestFirst: true)) == history.reversed()
            else { return "the history of \(checkpoint.shard) is not what happened" }
        }
        var drafts = truth.checkpoints.map { Draft(shard: $0.shard, expecting: $0.revision, [.faulted()]) }
        drafts.append(Draft(table: Sample.table, [.faulted()]))
        // More than the pages that the file has left over.
        for size in [10, 30_000] {
            _ = try await journal.append(drafts)
            drafts = [Draft(table: Sample.table, [.faulted(String(repeating: "x", count: size))])]
        }
        _ = try await journal.append(drafts)
        do throws(JournalError) { _ = try journal.verified() } catch {
            return "it took appends, and verify says: \(error)"
        }
        guard try journal.everything().starts(with: before.events) else {
            return "appending to it changed what was there"
        }
        return nil
    }
}
