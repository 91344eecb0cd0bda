internal import ArgumentParser
internal import Dispatcher
internal import DynamoDB
internal import Foundation
internal import Journal
internal import StreamModel
internal import Targets

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "What `run` would do with this configuration, and what it lacks; changes nothing.",
        discussion: """
            Takes the options of `run`. Of each table it says what DynamoDB knows of it and its stream, what comes first \
            (a full sync in how many segments, or where its stream goes on), what lies in the target, and what keeps it from being \
            followed: a missing stream or permission, rows that no journal knows, an SQL table of another shape, a full sync that is \
            not finished where only streams are to be followed, a loss that nobody has answered, a journal that was filled into \
            another target. Notes are of what keeps nobody back: a pause, another filter, a table that was made again. It makes one call of each kind that a daemon makes \
            (a Scan of one item, consuming half a read capacity unit or one), and opens neither journal nor target for writing.

            Exits 0 where every table could be followed, else as `run` would: 69, 77, 78. What only an open target can tell is not \
            among it: that it was restored from a backup, or that a file was cut.

            Examples:
              shakectl plan --table orders --target sqlite:replica.db
              shakectl plan --config shake.yaml --json | jq -r '.obstacles[]'
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let context = try CommandContext(common, of: "plan") { settings throws(ShakectlError) in
            try options.add(to: &settings)
        }
        let configuration = context.configuration
        let environment = ProcessInfo.processInfo.environment
        let daemon = try configuration.daemon(worker: "")
        let place = try await configuration.located(environment)
        let target = try place.makeTarget(environment)
        let client = try await place.makeClient(
            environment: environment, SourceTrouble(configuration.makeLogger(environment)))
        let journal = try Self.journal(context)
        let planner = Planner(
            daemon, existing: configuration.settings.existing ?? .refuse, journal: journal, source: client,
            target: target)
        var plans: [TablePlan] = []
        do {
            for table in try await TableNames.of(daemon, client) {
                plans.append(try await Self.asking { () throws(JournalError) in try await planner.plan(table) })
            }
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        await journal?.close(reason: "planned")
        let view = PlanView(
            plans: plans, journal: configuration.journal, isNew: journal == nil, target: target.name,
            mode: daemon.mode)
        try context.show(json: view.json, lines: view.lines(context.palette))
        if let first = plans.lazy.compactMap(\.obstacles.first).first { throw ShakectlError.daemon(first) }
    }

    private static func asking<Answer>(
        _ question: () async throws(JournalError) -> Answer
    ) async throws(ShakectlError) -> Answer {
        do { return try await question() } catch { throw .journal(error) }
    }

    /// `nil` where `run` would make it.
    private static func journal(_ context: CommandContext) throws(ShakectlError) -> Journal? {
        do { return try context.openJournal() } catch .journal(.noJournal) { return nil }
    }
}
