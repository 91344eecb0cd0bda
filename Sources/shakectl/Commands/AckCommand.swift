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

    @Argument(help: "The table.")
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
        let losses = try await besideDaemon {
            let losses = try open(in: journal, remedy)
            if !losses.isEmpty { _ = try await journal.append(losses.map { $0.draft(remedy, reason ?? "") }) }
            return losses
        }
        await journal.close(reason: "acknowledged losses of \(table)")
        let mode = VitalsFile.mode(in: journal.path)
        try context.show(json: losses.map { $0.view.acknowledged(remedy).json }, lines: lines(losses, remedy, mode, context.palette))
    }

    /// What there is to acknowledge: the subject with the revision that was seen.
    private struct Open {
        let view: KnownLoss
        let revision: Revision?

        func draft(_ remedy: LossPolicy?, _ reason: String) -> Draft {
            let word = Payload.lossAcknowledged(
                LossAcknowledged(author: Host.userAndHost, reason: reason, remedy: view.takesRemedy ? remedy : nil))
            guard let shard = view.shard, let revision else { return Draft(table: view.table, [word]) }
            return Draft(shard: shard, expecting: revision, [word])
        }
    }

    private func open(in journal: Journal, _ remedy: LossPolicy?) throws(ShakectlError) -> [Open] {
        let name = TableName(table)
        let state = try asking { () throws(JournalError) in try journal.table(name) }
        let checkpoints = try asking(journal.checkpoints)
        let own = checkpoints.filter { $0.shard.table == name }
        guard state != nil || !own.isEmpty else {
            let known = Set(checkpoints.map(\.shard.table)).union(try asking(journal.tables).map(\.table))
            let nearest = NearestName.of(table, in: known.map(\.text).sorted())
            throw .usage(
                "the journal doesn't know the table \(table)" + (nearest.map { ": did you mean '\($0)'?" } ?? ""))
        }
        let revisions = Dictionary(own.map { ($0.shard, $0.revision) }) { first, _ in first }
        let all = KnownLoss.all(of: name, state, own)
        if remedy != nil, !all.isEmpty, !all.contains(where: \.takesRemedy) {
            throw .usage(
                "the table \(table) is not stopped by what it lost (\(all[0].loss.lost.policy.rawValue)): `shakectl ack \(table)` alone "
                    + "takes note of it")
        }
        // The word alone would make the table wait for a scan, and no daemon in that mode can take it back.
        if remedy == .resync, !all.isEmpty, VitalsFile.mode(in: journal.path) == .incr {
            throw .usage(
                "the table \(table) can't be scanned again: the daemon of this journal runs with --mode incr, or did so last, "
                    + "which only follows. Start it with --mode all, where the table stops again, and then say --resync; or go on "
                    + "without what is lost: `shakectl ack \(table) --skip`")
        }
        return all.filter { $0.isOpen || remedy != nil && $0.takesRemedy }
            .map { Open(view: $0, revision: $0.shard.flatMap { revisions[$0] }) }
    }

    private func lines(
        _ losses: [Open], _ remedy: LossPolicy?, _ mode: DaemonConfiguration.Mode?, _ palette: Palette
    ) -> [String] {
        guard !losses.isEmpty else { return ["Nothing of \(table) waits to be acknowledged."] }
        let stopped = losses.contains { $0.view.stops || remedy != nil && $0.view.takesRemedy }
        let next =
            switch remedy {
            case _ where !stopped: "Noted."
            case .skip: "The table goes on with what is left."
            case .resync where mode == .all: "The table is scanned again."
            case .resync: "The table is scanned again by a daemon with --mode all, and waits for one."
            case .stop, nil:
                "Noted; the table stays stopped until `shakectl ack \(table) --resync` or --skip says how it goes on."
            }
        return losses.map { palette.paint("acknowledged", .green) + "  " + $0.view.words } + [next]
    }
}
