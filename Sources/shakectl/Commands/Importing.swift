internal import DynamoDB
internal import Foundation
internal import Journal
internal import NimoShake
internal import StreamModel

/// Looks up what NimoShake has not written down, has each table decided on, and appends.
struct Importing {
    let context: CommandContext
    let isDryRun: Bool

    struct Outcome {
        let outlooks: [NimoShakeOutlook]
        let isDryRun: Bool
        /// Of the last event; `nil` where nothing was appended.
        let position: Position?
    }

    /// - Parameter streams: what an operator has said of them.
    func run(
        _ checkpoints: NimoShakeCheckpoints, tables: [NimoShakeCheckpoints.Table], streams: [TableName: StreamARN]
    ) async throws -> Outcome {
        let known = try knownDaemon()
        let found = try await lookUp(tables, streams, daemon: known)
        let outlooks = tables.map { table in
            NimoShakeOutlook.of(
                table, status: checkpoints.status, stream: found[table.name], source: checkpoints.source,
                now: context.now)
        }
        let imported = outlooks.compactMap(\.imported)
        guard !imported.isEmpty else { return Outcome(outlooks: outlooks, isDryRun: isDryRun, position: nil) }
        guard !isDryRun else {
            if let journal = try reader() { _ = try plan(imported, in: journal) }
            return Outcome(outlooks: outlooks, isDryRun: true, position: nil)
        }
        // As a daemon opens it: nobody else may begin to follow one of the tables meanwhile.
        let journal = try context.openJournal(
            .daemon(RunStarted(role: "import", version: Version.text, host: Host.name, pid: Host.pid)))
        let receipts: [Receipt]
        do {
            receipts = try await journal.append(try plan(imported, in: journal).drafts)
        } catch {
            await journal.close(reason: "nothing was imported")
            if let error = error as? JournalError { throw ShakectlError.journal(error) }
            throw error
        }
        await journal.close(
            reason: "imported \(imported.map(\.table.text).joined(separator: ", ")) from \(checkpoints.source)")
        return Outcome(outlooks: outlooks, isDryRun: false, position: receipts.last?.position)
    }

    private func plan(_ tables: [ImportedTable], in journal: Journal) throws(ShakectlError) -> ImportPlan {
        let states = try asking(journal.tables)
        let checkpoints = try asking(journal.checkpoints)
        do throws(ImportRefusal) {
            return try ImportPlan.make(tables, states: states, among: checkpoints)
        } catch {
            throw .importRefused(error)
        }
    }

    /// `nil` where there is none yet.
    private func reader() throws(ShakectlError) -> Journal? {
        do throws(ShakectlError) { return try context.openJournal() } catch {
            guard case .journal(.noJournal) = error else { throw error }
            return nil
        }
    }

    private func knownDaemon() throws(ShakectlError) -> RunStarted? {
        guard let journal = try reader() else { return nil }
        return try asking(journal.lastDaemonRun)
    }

    /// The current stream of each table, and its shards; none of a table that has no stream, or that is gone.
    private func lookUp(
        _ tables: [NimoShakeCheckpoints.Table], _ said: [TableName: StreamARN], daemon: RunStarted?
    ) async throws(ShakectlError) -> [TableName: KnownStream] {
        var found = said.mapValues { KnownStream(arn: $0) }
        let asked = tables.map(\.name).filter { found[$0] == nil }
        guard let first = asked.first else { return found }
        let client: DynamoDBClient
        do {
            client = try DynamoDBClient.make(
                Rewinding.source(context.configuration.settings, daemon: daemon),
                environment: ProcessInfo.processInfo.environment)
        } catch {
            throw .streamNotAsked(table: first, error)
        }
        var failure: ShakectlError?
        for table in asked {
            do throws(DynamoDBError) {
                found[table] = try await lookUp(table, client)
            } catch {
                failure = .streamNotAsked(table: table, error)
                break
            }
        }
        await client.shutdown()
        if let failure { throw failure }
        return found
    }

    private func lookUp(_ table: TableName, _ client: DynamoDBClient) async throws(DynamoDBError) -> KnownStream? {
        do throws(DynamoDBError) {
            let description = try await client.describeTable(table)
            guard let arn = description.stream else { return nil }
            let listing = try await client.describeStream(arn).shards
            return KnownStream(arn: arn, tableID: description.id, listing: listing)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
