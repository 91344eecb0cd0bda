internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// Asks for the shards of a table's stream.
struct Discovery {
    let workshop: Workshop
    let stream: StreamARN
    let table: TableName

    /// So often a parent is asked for that the stream has and doesn't list: for two minutes or so. An emulator may give an
    /// iterator for whatever it is asked.
    private static let looks = 20
    /// So many parents are asked for at a time.
    private static let questionsAtOnce = 8

    /// A listing in which nothing follows what is still to come.
    ///
    /// A listing may be late, and its pages are not of one moment (FACTS 1.5): it can show a shard without the parent that was to
    /// be read first. So a parent that neither it nor the lineage has is asked for by name. Only where the stream hasn't got it
    /// any more it counts as done; where it has, it is time for another listing.
    ///
    /// A stream that is ENABLING shows no shards: it is waited for, whoever has enabled it.
    ///
    /// - Parameter lineage: what is known.
    /// - Returns: also when it was asked for; `nil` where the daemon is to stop.
    func listing(
        beside lineage: Lineage
    ) async throws(DynamoDBError) -> (stream: StreamDescription, asked: Timestamp)? {
        var backoff = Backoff(first: .milliseconds(200), maximum: .seconds(10))
        var enabling = Backoff(first: .milliseconds(500), maximum: .seconds(5))
        var gone: Set<ShardID> = []
        while true {
            let asked = workshop.now()
            let description = try await workshop.source.describeStream(stream)
            guard !description.isEnabling else {
                if enabling.failures == 0 {
                    workshop.logger.info("the stream is being enabled; waiting for it", metadata: ["table": "\(table)"])
                }
                workshop.vitals.waits(table, "its stream is being enabled (ENABLING), and followed as soon as it is")
                guard await workshop.wait(enabling.next(jitter: workshop.random())) else { return nil }
                continue
            }
            workshop.vitals.listed(table)
            let missing = lineage.missingParents(in: description.shards).subtracting(gone)
            let unlisted = try await there(missing)
            gone.formUnion(missing.subtracting(unlisted))
            guard let example = unlisted.min() else { return (description, asked) }
            guard backoff.failures < Self.looks else {
                workshop.logger.warning(
                    "the stream has a shard that it doesn't list; what follows it is read without it",
                    metadata: ["table": "\(table)", "shard": "\(example)"])
                return (description, asked)
            }
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
        }
    }

    /// Which of some shards the stream still has.
    private func there(_ shards: Set<ShardID>) async throws(DynamoDBError) -> Set<ShardID> {
        let answers = await withTaskGroup(of: (ShardID, Result<Bool, DynamoDBError>).self) { group in
            var (left, answers) = (shards.sorted()[...], [(ShardID, Result<Bool, DynamoDBError>)]())
            for shard in left.prefix(Self.questionsAtOnce) { group.addTask { (shard, await isThere(shard)) } }
            left = left.dropFirst(Self.questionsAtOnce)
            for await answer in group {
                answers.append(answer)
                if let shard = left.popFirst() { group.addTask { (shard, await isThere(shard)) } }
            }
            return answers
        }
        var found: Set<ShardID> = []
        for (shard, answer) in answers where try answer.get() { found.insert(shard) }
        return found
    }

    private func isThere(_ shard: ShardID) async -> Result<Bool, DynamoDBError> {
        do throws(DynamoDBError) {
            let key = ShardKey(table: table, stream: stream, shard: shard)
            _ = try await workshop.source.iterator(.trimHorizon, at: nil, shard: key)
            return .success(true)
        } catch {
            return error.isNotFound || error.isTrimmed ? .success(false) : .failure(error)
        }
    }

    /// Children may be invisible right after their parent ends (FACTS 1.5), so they are asked for a few times; after that the
    /// discovery timer finds them.
    ///
    /// - Returns: also when they were asked for last; `nil` where the daemon is to stop.
    func children(of parents: Set<ShardID>) async -> (shards: [Shard], asked: Timestamp)? {
        var (found, asked): ([Shard], Timestamp) = ([], workshop.now())
        var backoff = Backoff(first: .milliseconds(100), maximum: .seconds(1))
        while backoff.failures < 8 {
            do throws(DynamoDBError) {
                asked = workshop.now()
                found = try await lookUp(parents)
                if parents.isSubset(of: found.compactMap(\.parent)) { break }
            } catch {
                if error.isCancelled { return nil }
                if !error.isRetryable { break }
            }
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
        }
        return (found, asked)
    }

    /// The children of one shard, or a listing in which those of several are.
    private func lookUp(_ parents: Set<ShardID>) async throws(DynamoDBError) -> [Shard] {
        guard parents.count == 1, let shard = parents.first else {
            return try await workshop.source.describeStream(stream).shards
        }
        return try await workshop.source.children(of: shard, in: stream)
    }
}
