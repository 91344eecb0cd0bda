internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// Asks for the shards of a table's stream.
struct Discovery {
    let workshop: Workshop
    let stream: StreamARN
    let table: TableName

    /// So often a parent is asked for that the stream has and doesn't list: for three minutes or so. An emulator may give an
    /// iterator for whatever it is asked.
    private static let looks = 20

    /// A listing in which nothing follows what is still to come.
    ///
    /// A listing may be late, and its pages are not of one moment (FACTS 1.5): it can show a shard without the parent that was to
    /// be read first. So a parent that neither it nor the journal has is asked for by name. Only where the stream hasn't got it
    /// any more it counts as done; where it has, it is time for another listing.
    ///
    /// - Parameter lineage: what the journal knows.
    /// - Returns: `nil` where the daemon is to stop.
    func listing(beside lineage: Lineage) async throws(DynamoDBError) -> StreamDescription? {
        var backoff = Backoff(first: .milliseconds(200), maximum: .seconds(10))
        var gone: Set<ShardID> = []
        while true {
            let description = try await workshop.source.describeStream(stream)
            workshop.vitals.listed(table)
            let missing = lineage.missingParents(in: description.shards).subtracting(gone)
            let unlisted = try await there(missing)
            gone.formUnion(missing.subtracting(unlisted))
            guard let example = unlisted.min() else { return description }
            guard backoff.failures < Self.looks else {
                workshop.logger.warning(
                    "the stream has a shard that it doesn't list; what follows it is read without it",
                    metadata: ["table": "\(table)", "shard": "\(example)"])
                return description
            }
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
        }
    }

    /// Which of some shards the stream still has.
    private func there(_ shards: Set<ShardID>) async throws(DynamoDBError) -> Set<ShardID> {
        var found: Set<ShardID> = []
        for shard in shards.sorted() {
            do throws(DynamoDBError) {
                _ = try await workshop.source.iterator(
                    .trimHorizon, at: nil, shard: ShardKey(table: table, stream: stream, shard: shard))
                found.insert(shard)
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return found
    }

    /// Children may be invisible right after their parent ends (FACTS 1.5), so they are asked for a few times; after that the
    /// discovery timer finds them.
    ///
    /// - Returns: `nil` where the daemon is to stop.
    func children(of parents: Set<ShardID>) async -> [Shard]? {
        var found: [Shard] = []
        var backoff = Backoff(first: .milliseconds(100), maximum: .seconds(1))
        while backoff.failures < 8 {
            do throws(DynamoDBError) {
                found = try await lookUp(parents)
                if parents.isSubset(of: found.compactMap(\.parent)) { break }
            } catch {
                if error.isCancelled { return nil }
                if !error.isRetryable { break }
            }
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
        }
        return found
    }

    /// The children of one shard, or a listing in which those of several are.
    private func lookUp(_ parents: Set<ShardID>) async throws(DynamoDBError) -> [Shard] {
        guard parents.count == 1, let shard = parents.first else {
            return try await workshop.source.describeStream(stream).shards
        }
        return try await workshop.source.children(of: shard, in: stream)
    }
}
