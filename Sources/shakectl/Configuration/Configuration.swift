internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// What a command works with: the flags over the file over the defaults.
struct Configuration: Sendable {
    static let defaultJournal = "./shake.journal"
    static let defaultFile = "./shake.yaml"

    private(set) var settings: Settings
    /// The file that was read.
    let file: String?
    let journal: String
    /// Whose flags they are, for what is wrong with them.
    let command: String

    /// - Parameters:
    ///   - read: gives a file's text, or `nil` where there is no such file.
    /// - Throws: `.configuration` for a file that can't be read or used.
    init(
        command: String = "run", flags: Settings, file named: String?, environment: [String: String],
        read: (String) throws(ShakectlError) -> String?
    ) throws(ShakectlError) {
        self.command = command
        let asked = named ?? environment["SHAKE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let name = asked ?? Self.defaultFile
        let text = try read(name)
        if text == nil, let asked {
            let source = named == nil ? "SHAKE_CONFIG" : "--config"
            throw .configuration("\(asked): there is no such file; \(source) must name a configuration in YAML")
        }
        file = text == nil ? nil : name
        let fromFile = if let text { try ConfigurationFile(name: name).settings(from: text) } else { Settings() }
        settings = flags.over(fromFile)
        journal =
            flags.journal ?? environment["SHAKE_JOURNAL"].flatMap { $0.isEmpty ? nil : $0 } ?? fromFile.journal
            ?? Self.defaultJournal
    }

    /// The same, with a region that was found where none is set.
    func located(in region: String?) -> Configuration {
        guard let region else { return self }
        var copy = self
        copy.settings.region = region
        return copy
    }

    var logFormat: LogFormat { settings.logFormat ?? .text }
    var logLevel: Logger.Level { settings.logLevel ?? .info }

    /// - Throws: `.usage` where the flags, `.configuration` where a file leaves out what there is no default for.
    func target() throws(ShakectlError) -> String {
        guard let target = settings.target else {
            throw missing("no target", "say where to: --target sqlite:replica.db", "target: sqlite:replica.db")
        }
        return target
    }

    /// Calls of the source a second.
    var limits: CallLimits {
        var limits = CallLimits()
        if let rate = settings.getRecordsLimit { limits.getRecords = rate }
        limits.getRecordsPerTable = settings.getRecordsPerTableLimit
        if let rate = settings.describeStreamLimit { limits.describeStream = rate }
        limits.describeStreamPerTable = settings.describeStreamPerTableLimit
        return limits
    }

    /// - Throws: as `target()`.
    func daemon(worker: String) throws(ShakectlError) -> DaemonConfiguration {
        let tables = settings.tables ?? []
        guard !tables.isEmpty || settings.include != nil else {
            throw missing(
                "no table to follow", "name them: --table orders --table users, or say --include 'shop-*'",
                "tables: [orders, users]")
        }
        var daemon = DaemonConfiguration(tables: tables.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
        if let include = settings.include {
            daemon.globs = TableGlobs(include: include, exclude: settings.exclude ?? [])
        } else if settings.exclude != nil {
            throw wrong("--exclude leaves tables out of what --include takes: say --include '*' for all others")
        }
        if let interval = settings.tablesInterval { daemon.tablesInterval = interval }
        daemon.worker = worker
        if let mode = settings.mode { daemon.mode = mode }
        if let enables = settings.enableStreams { daemon.enablesStreams = enables }
        if let startAt = settings.startAt {
            daemon.startAt =
                switch startAt {
                case .trimHorizon: .trimHorizon
                case .latest: .latest
                }
        }
        daemon.untilIdle = settings.untilIdle
        if let poll = settings.maximumPoll { daemon.maximumPoll = poll }
        if let interval = settings.discoveryInterval { daemon.discoveryInterval = interval }
        if let budget = settings.memoryBudget { daemon.memoryBudget = budget }
        daemon.limits = limits
        daemon.scanSegments = settings.scanSegments
        daemon.scanReaders = settings.scanReaders
        daemon.scanCapacity = settings.scanCapacity
        if let consistent = settings.consistentScan { daemon.consistentScan = consistent }
        if let limit = settings.deadLetterLimit { daemon.deadLetterLimit = limit }
        daemon.folding = try folding()
        daemon.filters = try filters(for: daemon)
        if let policies = settings.onLoss {
            daemon.onLoss = policies
            try check(policies, daemon)
        }
        return daemon
    }

    /// - Throws: as `target()`.
    func folding() throws(ShakectlError) -> FoldPolicy {
        var policy = FoldPolicy()
        if let age = settings.foldAge {
            policy.age = age
            // Who wants to keep advances for longer means the rest too.
            policy.historyAge = max(policy.historyAge, age)
        }
        if let resolution = settings.foldResolution { policy.resolution = resolution }
        if let age = settings.foldHistoryAge {
            guard age >= policy.age else {
                throw wrong(
                    "the history of shards that are over can't be folded after \(Spoken.duration(age)) (--fold-history), before their "
                        + "advances are, after \(Spoken.duration(policy.age)) (--fold-after)")
            }
            policy.historyAge = age
        }
        return policy
    }

    /// - Throws: as `target()`.
    private func check(_ policies: LossPolicies, _ daemon: DaemonConfiguration) throws(ShakectlError) {
        for table in policies.tables.keys.sorted() { try check(table, "--on-loss names", daemon) }
        if policies.mayResync, daemon.mode != .all {
            throw wrong(
                "--on-loss resync scans a table again, which --mode \(daemon.mode.rawValue) does not allow: take --mode all, or "
                    + "--on-loss stop or skip")
        }
    }

    /// Nothing is said of a table that is not followed.
    ///
    /// - Throws: as `target()`.
    func check(_ table: TableName, _ saying: String, _ daemon: DaemonConfiguration) throws(ShakectlError) {
        guard !daemon.tables.contains(table), daemon.globs?.selects(table) != true else { return }
        let nearest = NearestName.of(table.text, in: daemon.tables.map(\.text))
        throw wrong(
            "\(saying) the table \(table), which is not followed: "
                + (nearest.map { "did you mean '\($0)'?" } ?? "no --include matches it"))
    }

    func wrong(_ what: String) -> ShakectlError {
        file.map { .configuration("\($0): \(what)") } ?? .usage("\(command): \(what)")
    }

    private func missing(_ what: String, _ flag: String, _ key: String) -> ShakectlError {
        guard let file else { return .usage("\(command): \(what): \(flag), or '\(key)' in \(Self.defaultFile)") }
        return .configuration("\(file): \(what): add '\(key)', or \(flag)")
    }
}
