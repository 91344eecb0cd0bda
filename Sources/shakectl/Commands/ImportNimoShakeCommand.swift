internal import ArgumentParser
internal import Foundation
internal import Journal
internal import NimoShake
internal import StreamModel

struct ImportNimoShakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nimoshake",
        abstract: "Take over NimoShake's checkpoints.",
        discussion: """
            SOURCE is the folder of its file checkpoints (checkpoint.type = file; the folder is its checkpoint.db), or the MongoDB \
            that they are in (mongodb://…; the database is its checkpoint.db, --database, else the one in the URL, else \
            "nimo-shake-checkpoint"; a password that is not in the URL is taken from SHAKE_MONGODB_PASSWORD). They are read, and \
            never written.

            Stop NimoShake first, and run no daemon on the journal meanwhile. Each table is taken over whole or not at all: one of \
            which a shard's place is not known, or whose full sync was not done, takes a full sync with `shakectl run`, and the \
            reason is said. NimoShake does not write down which stream its shards are of: the source is asked for it, or \
            --stream TABLE=ARN names it, and then nobody is asked.

            A table that the journal knows already is refused (64); a journal that isn't there yet is made. Where no table can be \
            taken over the exit code is 65.

            Examples:
              shakectl import nimoshake ./nimo-shake-checkpoint --dry-run
              shakectl import nimoshake ./nimo-shake-checkpoint --table orders
              shakectl import nimoshake mongodb://user@db.example:27017 --database nimo-shake-checkpoint
            """)

    @Argument(help: .init("The folder, or mongodb://….", valueName: "source"))
    var place: String

    @Option(name: .customLong("table"), help: .init("Only this table; repeat it for more.", valueName: "name"))
    var tables: [String] = []

    @Option(
        name: .customLong("stream"),
        help: .init("The stream of a table; the source is then not asked about it.", valueName: "table=arn"))
    var streams: [String] = []

    @Option(help: .init("The database of the checkpoints, with mongodb://….", valueName: "name"))
    var database: String?

    @Flag(help: "Say what would be done, and change nothing.")
    var dryRun = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var source: SourceOptions

    func validate() throws {
        for stream in streams where Self.named(stream) == nil {
            throw ValidationError(
                "--stream expects a table and its stream, such as orders=arn:aws:dynamodb:…, found '\(stream)'")
        }
        guard database == nil || Self.isDatabase(place) else {
            throw ValidationError("--database is of checkpoints in MongoDB: a folder has none")
        }
    }

    func run() async throws {
        let context = try CommandContext(common, of: "import") { settings throws(ShakectlError) in
            try source.add(to: &settings)
        }
        let checkpoints = try read()
        let wanted = try chosen(of: checkpoints)
        let streams = Dictionary(self.streams.compactMap(Self.named), uniquingKeysWith: { first, _ in first })
        let importing = Importing(context: context, isDryRun: dryRun)
        let outcome = try await importing.run(checkpoints, tables: wanted, streams: streams)
        let view = ImportView(outcome: outcome, skipped: checkpoints.skipped, journal: context.configuration.journal)
        try context.show(json: view.json, lines: view.lines(context.palette))
        guard outcome.outlooks.contains(where: { $0.imported != nil }) else {
            throw ShakectlError.nothingImported(tables: outcome.outlooks.count, source: checkpoints.source)
        }
    }

    private func read() throws(ShakectlError) -> NimoShakeCheckpoints {
        do throws(NimoShakeError) {
            guard Self.isDatabase(place) else { return try NimoShakeFolder.read(place) }
            return try NimoShakeDatabase.read(
                place, database: database, password: ProcessInfo.processInfo.environment["SHAKE_MONGODB_PASSWORD"])
        } catch {
            throw .nimoShake(error)
        }
    }

    private func chosen(of checkpoints: NimoShakeCheckpoints) throws(ShakectlError) -> [NimoShakeCheckpoints.Table] {
        guard !tables.isEmpty else { return checkpoints.tables }
        let known = checkpoints.tables.map(\.name.text)
        for name in tables where !known.contains(name) {
            let nearest = NearestName.of(name, in: known)
            throw .usage(
                "NimoShake has no checkpoints of the table \(name)" + (nearest.map { ": did you mean '\($0)'?" } ?? ""))
        }
        return checkpoints.tables.filter { tables.contains($0.name.text) }
    }

    private static func isDatabase(_ place: String) -> Bool {
        place.hasPrefix("mongodb://") || place.hasPrefix("mongodb+srv://")
    }

    private static func named(_ stream: String) -> (TableName, StreamARN)? {
        let parts = stream.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, ConfigurationKey.isTableName(parts[0]) else { return nil }
        return (TableName(parts[0]), StreamARN(parts[1]))
    }
}
