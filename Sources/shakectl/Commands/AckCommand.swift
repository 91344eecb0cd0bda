internal import ArgumentParser
internal import Dispatcher
internal import Journal
internal import StreamModel

struct AckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack",
        abstract: "Take note of lost records, and say how a table that stopped for them goes on.",
        discussion: """
            A stream keeps its records for 24 hours. Where it no longer has what the journal needs, the loss is an \
            event (`range_lost`), and `status` shows it until it is acknowledged. A table whose policy is `stop` \
            waits besides, beside a running daemon or at its next start, until one of these says how it goes on:
              --resync  scan the table again, which brings what the lost changes led to; it is refused where the daemon \
            runs with --mode incr, which never scans
              --skip    go on with the oldest record that is left; what the lost changes did is missing for good

            Examples:
              shakectl ack orders --resync --reason "stopped over the holidays"
              shakectl ack orders
            """)

    @Argument(help: "The table.", completion: JournalNames.ofTables)
    var table: String

    @Flag(help: "A stopped table goes on with the oldest record that is left.")
    var skip = false

    @Flag(help: "A stopped table is scanned again.")
    var resync = false

    @Option(help: .init("Why, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !(skip && resync) else { throw ValidationError("say one of --skip and --resync") }
    }

    func run() async throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal(
            .steward(RunStarted(role: "ack", version: Version.text, host: Host.name, pid: Host.pid)))
        let remedy: LossPolicy? = skip ? .skip : resync ? .resync : nil
        let (plan, daemon) = try await besideDaemon {
            let daemon = try remedy == .resync ? ScanningDaemon.of(journal) : nil
            let plan = try decide(in: journal, remedy, isScanned: daemon?.scans ?? true)
            if !plan.drafts.isEmpty { _ = try await journal.append(plan.drafts) }
            return (plan, daemon)
        }
        await journal.close(reason: "acknowledged losses of \(table)")
        try context.show(
            json: plan.steps.map { view($0, $0.after).json }, lines: lines(plan, remedy, daemon, context.palette))
    }

    private func decide(in journal: Journal, _ remedy: LossPolicy?, isScanned: Bool) throws(ShakectlError) -> AckPlan {
        let name = TableName(table)
        let state = try asking { () throws(JournalError) in try journal.table(name) }
        let checkpoints = try asking(journal.checkpoints)
        guard state != nil || checkpoints.contains(where: { $0.shard.table == name }) else {
            let known = Set(checkpoints.map(\.shard.table)).union(try asking(journal.tables).map(\.table))
            let nearest = NearestName.of(table, in: known.map(\.text).sorted())
            throw .usage(
                "the journal doesn't know the table \(table)" + (nearest.map { ": did you mean '\($0)'?" } ?? ""))
        }
        let request = AckRequest(table: name, remedy: remedy, reason: reason ?? "", author: Host.userAndHost)
        do throws(AckRefusal) {
            return try AckPlan.make(request, of: state, among: checkpoints, isScanned: isScanned)
        } catch {
            throw .usage(error.description)
        }
    }

    private func view(_ step: AckPlan.Step, _ loss: Loss) -> KnownLoss {
        step.shard.map { KnownLoss(shard: $0, loss) } ?? KnownLoss(table: TableName(table), loss)
    }

    private func lines(
        _ plan: AckPlan, _ remedy: LossPolicy?, _ daemon: ScanningDaemon?, _ palette: Palette
    ) -> [String] {
        guard !plan.steps.isEmpty else { return ["Nothing of \(table) waits to be acknowledged."] }
        let stopped = plan.steps.contains { $0.before.stops || remedy != nil && $0.before.takesRemedy }
        let next =
            switch remedy {
            case _ where !stopped: "Noted."
            case .skip: "The table goes on with what is left."
            case .resync where daemon?.willScan(TableName(table)) == true: "The table is scanned again."
            case .resync: "The table is scanned again by a daemon with --mode all, and waits for one."
            case .stop, nil:
                "Noted; the table stays stopped until `shakectl ack \(table) --resync` or --skip says how it goes on."
            }
        return plan.steps.map { palette.paint("acknowledged", .green) + "  " + view($0, $0.before).words } + [next]
    }
}
