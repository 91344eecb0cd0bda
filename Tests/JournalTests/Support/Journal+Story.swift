import StreamModel
import Testing

@testable import Journal

extension Journal {
    /// Appends to a shard as it stands, and says how it stands then.
    @discardableResult
    func add(_ shard: Int, _ payloads: Payload...) async throws -> Checkpoint {
        try await add(shard, payloads)
    }

    @discardableResult
    func add(_ shard: Int, _ payloads: [Payload]) async throws -> Checkpoint {
        let revision = try checkpoint(of: Sample.key(shard))?.revision ?? .none
        let receipts = try await append([Draft(shard: Sample.key(shard), expecting: revision, payloads)])
        return try #require(receipts.first?.checkpoint)
    }

    /// A shard that has been read up to `number`, and to its end if `done`.
    func follow(_ shard: Int, parent: Int? = nil, upTo number: Int, done: Bool = false) async throws {
        try await add(shard, [.discovered(parent: parent)] + Payload.takenUp + [.advanced(number)])
        if done { try await add(shard, .status(.inProcessing, .done)) }
    }

    func everything() throws(JournalError) -> [Event] { try events(after: .origin, limit: .max) }
}

/// Runs `body` and returns what it threw, in the journal's own type.
func failure<R>(_ body: () async throws(JournalError) -> R) async -> JournalError? {
    do throws(JournalError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

func failure<R>(_ body: () throws(JournalError) -> R) -> JournalError? {
    do throws(JournalError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

extension Journal {
    /// Opens, lends and closes a journal; it is let go of when this returns, daemon's lock and all.
    @discardableResult
    static func use<R>(
        _ path: String, _ access: Access = .daemon(Sample.daemon), mapSize: Int = 16 << 20,
        _ body: (Journal) async throws -> R
    ) async throws -> R {
        let journal = try open(path, access, mapSize: mapSize)
        do {
            let result = try await body(journal)
            await journal.close(reason: "the test ends")
            return result
        } catch {
            await journal.close(reason: "the test failed")
            throw error
        }
    }

    /// What `verify` says, or what it threw.
    func verified() throws(JournalError) -> VerifyReport { try verify { _ in } }
}
