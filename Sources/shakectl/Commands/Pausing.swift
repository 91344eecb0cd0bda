internal import Dispatcher
internal import Journal
internal import StreamModel

/// What `pause` and `resume` do: names what is meant, has it decided, appends, and says what follows.
struct Pausing {
    let request: PauseRequest
    let common: CommonOptions

    func run(_ name: String) async throws {
        let context = try CommandContext(common)
        let role = request.deed.rawValue
        let journal = try context.openJournal(
            .steward(RunStarted(role: role, version: Version.text, host: Host.name, pid: Host.pid)))
        let outcome = try await besideDaemon {
            let plan = try decide(in: journal, name)
            guard !plan.drafts.isEmpty else { return (plan: plan, position: Position?.none) }
            return (plan: plan, position: try await journal.append(plan.drafts).last?.position)
        }
        let view = try view(outcome.plan, outcome.position, in: journal)
        await journal.close(reason: "\(role)d \(name)")
        try context.show(json: [view.json], lines: view.lines(context.palette, now: context.now))
    }

    private func decide(in journal: Journal, _ name: String) throws(ShakectlError) -> PausePlan {
        let table = TableName(name)
        let state = try asking { () throws(JournalError) in try journal.table(table) }
        let checkpoints = try asking(journal.checkpoints)
        // A table comes first: its name says all of it, and a shard is named by more of its id.
        if state != nil || checkpoints.contains(where: { $0.shard.table == table }) {
            return PausePlan.make(request, of: table, state)
        }
        let key: ShardKey
        do throws(JournalError) { key = try journal.shard(matching: name) } catch {
            guard case .noSuchShard = error else { throw .journal(error) }
            let known = Set(checkpoints.map(\.shard.table)).union(try asking(journal.tables).map(\.table))
            let nearest = NearestName.of(name, in: known.map(\.text).sorted())
            throw .usage(
                "the journal knows neither a table '\(name)' nor a shard of that name or part of a name"
                    + (nearest.map { ": did you mean the table '\($0)'?" } ?? ""))
        }
        guard let checkpoint = checkpoints.first(where: { $0.shard == key }) else {
            throw .journal(.noSuchShard(part: name, known: checkpoints.count))
        }
        do { return try PausePlan.make(request, of: checkpoint) } catch { throw .usage(error.description) }
    }

    /// How it stands now.
    private func view(_ plan: PausePlan, _ position: Position?, in journal: Journal) throws(ShakectlError) -> PauseView
    {
        let table = plan.table
        let state = try asking { () throws(JournalError) in try journal.table(table) } ?? TableState(table: table)
        let checkpoints = try asking(journal.checkpoints).filter { $0.shard.table == table }
        return PauseView(
            deed: request.deed, subject: plan.subject, table: table, before: plan.before, position: position,
            pauses: KnownPause.all(state, checkpoints), isRunning: journal.daemon() != nil)
    }
}
