internal import ArgumentParser
internal import Dispatcher
internal import Journal
internal import StreamModel

struct ResyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resync",
        abstract: "Scan a table in full again, in place, beside its stream.",
        discussion: """
            Works beside a running daemon, which begins the full sync without a restart, and without one: then the next one \
            does. A scan that is under way begins again. In place: each row is written over by the item as \
            it is now, what the stream changes meanwhile is newer than the scan, and rows that are gone at the source go at \
            its end (a JSON Lines file only grows).

            A table that stands still for a loss goes on by it, as `ack --resync` says. Refused where the daemon runs with \
            --mode incr, or did so last: it only follows (64), and where one has begun just now and has yet to say what it does (75).

            Examples:
              shakectl resync orders --reason "the target was edited by hand"
            """)

    @Argument(help: "The table.", completion: JournalNames.ofTables)
    var table: String

    @Option(help: .init("Why, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal(
            .steward(RunStarted(role: "resync", version: Version.text, host: Host.name, pid: Host.pid)))
        let outcome = try await besideDaemon {
            let daemon = try ScanningDaemon.of(journal)
            let plan = try decide(in: journal, isScanned: daemon.scans)
            return (plan: plan, position: try await journal.append(plan.drafts).last?.position, daemon: daemon)
        }
        let state = try asking { () throws(JournalError) in try journal.table(TableName(table)) }
        await journal.close(reason: "asked for a full sync of \(table)")
        let view = ResyncView(
            table: TableName(table), plan: outcome.plan, position: outcome.position, pause: state?.pause,
            daemon: outcome.daemon)
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }

    private func decide(in journal: Journal, isScanned: Bool) throws(ShakectlError) -> ResyncPlan {
        let name = TableName(table)
        let state = try asking { () throws(JournalError) in try journal.table(name) }
        let checkpoints = try asking(journal.checkpoints)
        guard state != nil || checkpoints.contains(where: { $0.shard.table == name }) else {
            let known = Set(checkpoints.map(\.shard.table)).union(try asking(journal.tables).map(\.table))
            let nearest = NearestName.of(table, in: known.map(\.text).sorted())
            throw .usage(
                "the journal doesn't know the table \(table)" + (nearest.map { ": did you mean '\($0)'?" } ?? ""))
        }
        let request = ResyncRequest(table: name, reason: reason ?? "", author: Host.userAndHost)
        do throws(AckRefusal) {
            return try ResyncPlan.make(request, of: state, among: checkpoints, isScanned: isScanned)
        } catch {
            throw .usage(Self.words(error))
        }
    }

    private static func words(_ refusal: AckRefusal) -> String {
        guard case .neverScanned(let table) = refusal else { return refusal.description }
        return
            "the table \(table) can't be scanned again: the daemon of this journal runs with --mode incr, or did so last, which "
            + "only follows. Start it with --mode all, and then say it again"
    }
}
