internal import ArgumentParser
internal import Comparison
internal import Dispatcher
internal import DynamoDB
internal import Filter
internal import Foundation
internal import Journal
internal import StreamModel
internal import Targets

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare the source with the target, item by item and both ways; put right what differs.",
        discussion: """
            Takes the options of `run`. The source is scanned and each item looked up at the target; the target's keys are listed and \
            looked up at the source. Values are compared as DynamoDB does: numbers as decimals, sets without order. What seems to \
            differ is read again, consistently, until neither copy has moved for --settle, so a change that is on its way is no \
            difference. It runs beside a daemon, holds little in memory whatever the table's size, reads no more than --scan-capacity, \
            and goes on where it was when it was ended (for a day, by notes in the journal's folder).

            --repair writes what differs as the source has it, and notes in the journal that it did. Beside a daemon, too: what the \
            stream brings later is newer.

            Exits 0 where no difference is left, 1 where one is.

            Examples:
              shakectl diff --table orders --target sqlite:replica.db
              shakectl diff --config shake.yaml --sample 1% --json
              shakectl diff --config shake.yaml --repair --dry-run
            """)

    @Option(
        parsing: .unconditional,
        help: .init(
            "Compare a share of the items, the same ones each time, such as 1% (default: all).", valueName: "share")
    )
    var sample: String?

    @Flag(help: "Write what differs as the source has it.")
    var repair = false

    @Flag(help: "With --repair: only say what would be written.")
    var dryRun = false

    @Option(
        parsing: .unconditional,
        help: .init(
            "How long both copies must stand still before they count as different; more than the daemon is behind (default: 5s).",
            valueName: "duration"))
    var settle: String?

    @Flag(help: "Begin again, whatever an earlier run has seen.")
    var restart = false

    @Flag(help: "Show the counts of each table, and not each difference.")
    var summary = false

    @OptionGroup var options: RunOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard repair || !dryRun else { throw ValidationError("--dry-run is for --repair: say both, or neither") }
    }

    func run() async throws {
        HeapSettings.apply()
        let context = try CommandContext(common, of: "diff") { settings throws(ShakectlError) in
            try options.add(to: &settings)
        }
        let configuration = context.configuration
        let environment = ProcessInfo.processInfo.environment
        var plan = ComparisonPlan()
        plan.sample = try Self.sample(sample)
        plan.patience = try Self.patience(settle)
        plan.repair = repair ? dryRun ? .dryRun : .write : .no
        let daemon = try configuration.daemon(worker: "")
        let place = try await configuration.located(environment)
        let target = try place.makeTarget(environment)
        let client = try await place.makeClient(
            environment: environment, SourceTrouble(configuration.makeLogger(environment)))
        let journal = try journal(context, plan, target)
        let report = DiffReport(context, showsFindings: !summary)
        do {
            let tables = try await TableNames.of(daemon, client)
            try await Self.opening { () throws(TargetError) in try await target.openBeside() }
            for table in tables {
                try await compare(table, plan, daemon, client, target, journal, report)
            }
        } catch {
            await end(client, target, journal, "failed")
            throw Self.translated(error)
        }
        await end(client, target, journal, "compared")
        try await report.finish()
    }

    private func end(_ client: DynamoDBClient, _ target: any Target, _ journal: Journal?, _ reason: String) async {
        await client.shutdown()
        await target.close()
        await journal?.close(reason: reason)
    }

    private func compare(
        _ table: TableName, _ plan: ComparisonPlan, _ daemon: DaemonConfiguration, _ client: DynamoDBClient,
        _ target: any Target, _ journal: Journal?, _ report: DiffReport
    ) async throws {
        let description = try await Self.asking { () throws(DynamoDBError) in try await client.describeTable(table) }
        let schema = description.schema
        let place = try await Self.opening { () throws(TargetError) in try await target.survey(schema) }
        guard place.contents != .missing else {
            throw ShakectlError.target(
                .misconfigured(
                    target: target.name,
                    reason: "there is no \(place.object): `shakectl run` makes it and fills it"))
        }
        try await Self.opening { () throws(TargetError) in try await target.prepare(schema) }

        var plan = plan
        plan.filter = daemon.filters[table]
        plan.segments = daemon.scanSegments ?? ScanPlan.segments(ofBytes: description.tableSizeBytes)
        plan.readers = daemon.scanReaders ?? plan.readers
        do { plan.capacity = try daemon.scanCapacity?.unitsPerSecond(of: description) } catch {
            throw ShakectlError.daemon(error)
        }
        let notes = try notes(of: description, plan, "\(target.name), \(place.object)")
        await report.begin(schema, notes.earlier, items: UInt64(max(0, description.itemCount)))
        let comparison = TableComparison(
            schema, source: client, target: target, plan: plan, notes: notes,
            observer: TableComparison.Observer(
                found: { try await report.found($0, in: schema) },
                counted: { report.counted($0, of: table) },
                repaired: { written, removed in
                    let repaired = Repaired(
                        written: UInt64(written), removed: UInt64(removed), target: target.name,
                        author: Host.userAndHost)
                    do throws(JournalError) {
                        _ = try await journal?.append([Draft(table: table, [.repaired(repaired)])])
                    } catch {
                        throw ComparisonError.journal(error)
                    }
                }))
        try await report.end(table, try await comparison.run())
    }

    /// Notes lie beside the journal; without one, nothing is kept.
    private func notes(
        of table: TableDescription, _ plan: ComparisonPlan, _ target: String
    ) throws -> ComparisonNotes {
        let context = try CommandContext(common, of: "diff")
        let journal = context.configuration.journal
        guard FileManager.default.fileExists(atPath: journal) else { return ComparisonNotes() }
        let folder = journal + "/diff"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ComparisonError.notes("\(folder) can't be made: \(error.localizedDescription)")
        }
        return try ComparisonNotes(
            path: "\(folder)/\(table.schema.name).lines",
            of: ComparisonNotes.Subject(
                table: table.schema.name, id: table.id, target: target, sample: plan.sample,
                segments: plan.segments, filter: plan.filter?.fingerprint),
            restarts: restart, now: context.now)
    }

    /// Only a repair is noted in it.
    private func journal(
        _ context: CommandContext, _ plan: ComparisonPlan, _ target: any Target
    ) throws(ShakectlError) -> Journal? {
        guard plan.repair == .write else { return nil }
        return try context.openJournal(
            .steward(
                RunStarted(
                    role: "diff", version: Version.text, host: Host.name, pid: Host.pid, target: target.name)))
    }

    private static func sample(_ text: String?) throws(ShakectlError) -> Sample {
        guard let text else { return .everything }
        let isPercent = text.hasSuffix("%")
        guard let number = Double(isPercent ? String(text.dropLast()) : text), number > 0,
            number <= (isPercent ? 100 : 1)
        else {
            throw .usage("diff: --sample expects a share of the items, such as 1% or 0.01, found '\(text)'")
        }
        return Sample(share: isPercent ? number / 100 : number)
    }

    private static func patience(_ text: String?) throws(ShakectlError) -> Suspect.Patience {
        guard let text else { return Suspect.Patience() }
        guard let settle = Spelling.duration(text), settle <= .seconds(86_400) else {
            throw .usage("diff: --settle expects a duration up to 1d, such as 5s or 2m, found '\(text)'")
        }
        return Suspect.Patience(settle: settle, limit: max(.seconds(60), settle * 12))
    }

    private static func opening<R>(_ body: () async throws(TargetError) -> R) async throws(ShakectlError) -> R {
        do { return try await body() } catch { throw .target(error) }
    }

    private static func asking<R>(_ body: () async throws(DynamoDBError) -> R) async throws(ShakectlError) -> R {
        do { return try await body() } catch { throw .source(error) }
    }

    private static func translated(_ error: any Error) -> any Error {
        guard let error = error as? ComparisonError else { return error }
        return switch error {
        case .source(let error): ShakectlError.source(error)
        case .target(let error): ShakectlError.target(error)
        case .journal(let error): ShakectlError.journal(error)
        case .keepsNoState, .notes, .underWay: ShakectlError.comparison(error)
        }
    }
}
