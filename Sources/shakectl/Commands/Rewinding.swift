internal import DynamoDB
internal import Foundation
internal import Journal
internal import StreamModel

/// Plans a rewind, asks the source whether its stream still holds what is to be replayed, and appends it.
struct Rewinding {
    let context: CommandContext
    let journal: Journal
    let isOffline: Bool
    let isDryRun: Bool

    struct Outcome {
        let plan: RewindPlan
        /// Of the shard's own `rewound`; `nil` of a dry run.
        let position: Position?
        /// Where the shard stood before.
        let before: Position
        /// All that the journal knew.
        let checkpoints: [Checkpoint]
    }

    /// - Parameter plan: decides from the shard's stream's checkpoints.
    func run(
        _ key: ShardKey, plan: ([Checkpoint]) throws(ShakectlError) -> RewindPlan
    ) async throws -> Outcome {
        var checked: RewindPlan.Needs?
        return try await besideDaemon {
            let everything = try asking(journal.checkpoints)
            let checkpoints = everything.filter { $0.shard.table == key.table && $0.shard.stream == key.stream }
            let before = checkpoints.first { $0.shard == key }?.position ?? .origin
            let stream = try asking { () throws(JournalError) in try journal.table(key.table)?.stream }
            do throws(RewindRefusal) {
                try RewindPlan.check(key, followedBy: stream)
            } catch {
                throw ShakectlError.rewindRefused(error)
            }
            let plan = try plan(checkpoints)
            if !isOffline, checked != plan.needs {
                try await checkSource(plan)
                checked = plan.needs
            }
            var position: Position?
            if !isDryRun {
                await context.surroundings.passing(.inRewind)
                let receipts = try await journal.append(plan.drafts)
                position = receipts[plan.drafts.firstIndex { $0.subject == .shard(key) } ?? 0].position
            }
            return Outcome(plan: plan, position: position, before: before, checkpoints: everything)
        }
    }

    /// Asks the stream for the iterator that the replay will begin with: it refuses where the records are gone.
    private func checkSource(_ plan: RewindPlan) async throws(ShakectlError) {
        let source = Self.source(context.configuration.settings, daemon: try asking(journal.lastDaemonRun))
        let client: DynamoDBClient
        do {
            client = try DynamoDBClient.make(source, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw .sourceNotAsked(shard: plan.shard, error)
        }
        do {
            _ = try await client.iterator(plan.needs.type, at: plan.needs.sequenceNumber, shard: plan.shard)
            await client.shutdown()
        } catch {
            await client.shutdown()
            if error.isTrimmed || error.isNotFound { throw .trimmed(shard: plan.shard, at: plan.needs.sequenceNumber) }
            guard let number = plan.needs.sequenceNumber, error.code == "ValidationException" else {
                throw .sourceNotAsked(shard: plan.shard, error)
            }
            throw .noSuchPlace(shard: plan.shard, at: number, error)
        }
    }

    /// Where the daemon reads from is the source to ask; only what an operator says here and now wins over it.
    static func source(_ settings: Settings, daemon: RunStarted?) -> SourceConfiguration {
        // Another region's endpoint would be the wrong one.
        let isElsewhere = settings.endpoint != nil || settings.region != nil
        return SourceConfiguration(
            region: settings.region ?? daemon?.region.nonEmpty,
            endpoint: settings.endpoint ?? (isElsewhere ? nil : daemon?.endpoint.nonEmpty), profile: settings.profile)
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
