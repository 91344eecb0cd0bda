internal import DynamoDB
package import Journal
package import StreamModel
package import Targets

/// Finds out what a daemon would do, by the calls that it would make, and changes nothing.
package struct Planner: Sendable {
    private let configuration: DaemonConfiguration
    private let existing: ExistingPolicy
    /// `nil`: there is none yet.
    private let journal: Journal?
    private let source: any StreamSource
    /// Not opened.
    private let target: any Target

    package init(
        _ configuration: DaemonConfiguration, existing: ExistingPolicy, journal: Journal?, source: any StreamSource,
        target: any Target
    ) {
        self.configuration = configuration
        self.existing = existing
        self.journal = journal
        self.source = source
        self.target = target
    }

    /// - Throws: what the journal says; all else is an obstacle in the plan.
    package func plan(_ table: TableName) async throws(JournalError) -> TablePlan {
        var found: TablePlan.Findings
        do throws(DynamoDBError) {
            let description = try await source.describeTable(table)
            found = TablePlan.Findings(name: table, table: .success(description))
            do throws(TargetError) {
                found.place = .success(try await target.survey(description.schema))
            } catch {
                found.place = .failure(error)
            }
            await look(at: description, &found)
        } catch {
            found = TablePlan.Findings(name: table, table: .failure(error))
        }
        if let journal {
            found.state = try journal.table(table)
            found.checkpoints = try journal.checkpoints().filter { $0.shard.table == table }
            found.filledTarget = try journal.filledTarget()
            if let filled = found.filledTarget, filled != target.name, !target.takesOver(from: filled) {
                found.refusal = .otherTarget(path: journal.path, filled: filled, asked: target.name)
            }
        }
        return TablePlan.decide(found, configuration, existing: existing, target: target.name)
    }

    /// One call of each kind that only reads: UpdateTable can't be tried without changing the table.
    private func look(at table: TableDescription, _ found: inout TablePlan.Findings) async {
        if configuration.mode != .incr {
            do throws(DynamoDBError) {
                _ = try await source.scan(
                    table.schema, segment: 0, of: 1, after: nil, consistent: configuration.consistentScan,
                    filter: configuration.filters[table.schema.name], limit: 1, onFailure: {})
            } catch {
                found.failedCalls.append(error)
            }
        }
        guard table.streamEnabled, let stream = table.stream else { return }
        let shards: [Shard]
        do throws(DynamoDBError) {
            let description = try await source.describeStream(stream)
            found.stream = .success(description)
            shards = description.shards
        } catch {
            found.stream = .failure(error)
            return
        }
        // Of an open one: what a closed one begins with may be trimmed in this moment.
        guard let shard = shards.first(where: { $0.range.ending == nil }) else { return }
        let key = ShardKey(table: table.schema.name, stream: stream, shard: shard.id)
        do throws(DynamoDBError) {
            let iterator = try await source.iterator(.latest, at: nil, shard: key)
            _ = try await source.rawRecords(at: iterator, limit: 1, onFailure: {}, onNext: { _, _ in })
        } catch {
            found.failedCalls.append(error)
        }
    }
}
