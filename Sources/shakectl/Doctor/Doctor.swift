internal import Dispatcher
internal import DynamoDB
internal import Foundation
internal import Journal
internal import StreamModel
internal import Targets

/// Looks at all that a daemon needs, one thing after the other, and tells each as soon as it is known. What is well and what is not,
/// the findings say. Nothing is changed anywhere.
struct Doctor {
    private let options: RunOptions
    private let common: CommonOptions
    private let environment = ProcessInfo.processInfo.environment
    private let tell: (Diagnosis) throws(ShakectlError) -> Void
    private(set) var findings: [Diagnosis] = []
    /// Whether all that was said could be read, be it enough or not.
    private var isReadable = true
    /// There is a journal, and what it knows can't be told: then nothing in the target is strange to it.
    private var isJournalUnread = false

    init(_ options: RunOptions, _ common: CommonOptions, tell: @escaping (Diagnosis) throws(ShakectlError) -> Void) {
        self.options = options
        self.common = common
        self.tell = tell
    }

    /// - Throws: `.usage` for a wrong flag, `.output` and `.outputClosed` where nobody can be told. All else is a finding.
    mutating func run() async throws(ShakectlError) {
        let configuration = try readConfiguration()
        try say(.limits(ProcessLimits((try? String(contentsOfFile: ProcessLimits.file, encoding: .utf8)) ?? "")))
        let journal = try lookAtJournal(configuration.journal)
        guard isReadable else {
            return try say(
                .warning(
                    "source", "neither source nor target was looked at, since the configuration can't be read",
                    do: "mend it, and look again"))
        }
        let daemon = try daemon(configuration, journal)
        let place = await located(configuration)
        let target = try makeTarget(place)
        if let target { try lookAtPlace(of: target) }
        let client = try makeClient(place)
        try say(
            .libraries(
                curl: DynamoDBClient.curl, knowsTLS: DynamoDBClient.knowsTLS, needsTLS: client?.isEncrypted ?? false,
                lmdb: Journal.library))
        var isTargetKnown = false
        if let client {
            do {
                isTargetKnown = try await lookAtSource(client, configuration, daemon, journal, target)
            } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
        if let target, !isTargetKnown { try await reach(target) }
    }

    private mutating func say(_ finding: Diagnosis) throws(ShakectlError) {
        findings.append(finding)
        try tell(finding)
    }

    // MARK: Configuration

    /// What can't be read is a finding, and the rest goes by flags and environment.
    private mutating func readConfiguration() throws(ShakectlError) -> Configuration {
        var flags = Settings()
        try common.add(to: &flags)
        try options.add(to: &flags)
        do throws(ShakectlError) {
            let configuration = try Configuration(
                command: "doctor", flags: flags, file: common.config, environment: environment, read: TextFile.read)
            // Options are of several keys, and some make sense only together.
            _ = try configuration.daemon(worker: "")
            _ = try configuration.target()
            try say(.ok("configuration", Self.words(configuration)))
            return configuration
        } catch {
            if case .output = error { throw error }
            if case .outputClosed = error { throw error }
            try say(.problem("configuration", error))
        }
        do throws(ShakectlError) {
            return try Configuration(
                command: "doctor", flags: flags, file: common.config, environment: environment, read: TextFile.read)
        } catch {
            isReadable = false
            var rest = environment
            rest["SHAKE_CONFIG"] = nil
            return try Configuration(command: "doctor", flags: flags, file: nil, environment: rest) { _ in nil }
        }
    }

    private static func words(_ configuration: Configuration) -> String {
        let settings = configuration.settings
        let tables = (settings.tables ?? []).map(\.text) + (settings.include ?? []).map(\.description)
        let place =
            configuration.file ?? "no file (no --config, no SHAKE_CONFIG, no \(Configuration.defaultFile))"
        return "\(place): every option is valid; tables \(tables.joined(separator: ", ")); mode "
            + (settings.mode ?? .all).rawValue
    }

    // MARK: The journal

    private mutating func lookAtJournal(_ path: String) throws(ShakectlError) -> Journal? {
        let disk = Disk.under(path)
        try say(.disk(disk, of: path, for: "journal", holdsJournal: true))
        let journal: Journal
        do throws(JournalError) {
            // Should a page be so damaged that looking at it ends the process, this is what was found.
            if common.json {
                let damaged = Diagnosis.problem("journal", "\(path): a page of data.mdb can't be read", exitCode: 65)
                Journal.say(onDamage: damaged.json.line + "\n")
            }
            journal = try Journal.open(path, .reader)
        } catch .noJournal {
            try say(
                .writable(disk, path, isThere: disk?.place == path, mayWrite: disk?.mayWrite ?? false, as: "journal")
                    ?? .ok("journal", "\(path): there is none yet; `run` makes it"))
            return nil
        } catch {
            isJournalUnread = true
            try say(.problem("journal", .journal(error)))
            return nil
        }
        let verified: Diagnosis
        do throws(JournalError) { verified = try Self.verified(journal) } catch {
            isJournalUnread = true
            try say(.problem("journal", .journal(error)))
            return nil
        }
        try say(verified)
        if let finding = Diagnosis.writable(
            disk, path, isThere: true, mayWrite: Journal.mayWrite(to: path), as: "journal")
        {
            try say(finding)
        }
        try say(Self.daemon(try DaemonPresence.of(journal, now: .now())))
        return journal
    }

    /// As many as are read in a second or two. Of longer journals the newest were read when it was opened.
    private static let mostVerified = 250_000

    private static func verified(_ journal: Journal) throws(JournalError) -> Diagnosis {
        let last = try journal.lastPosition()
        guard last.number <= UInt64(mostVerified) else {
            return .ok(
                "journal",
                "\(journal.path): opens, and its newest 16,384 events hold; `shakectl verify` reads all up to \(last)")
        }
        let report = try journal.verify { _ in }
        return .ok(
            "journal",
            "\(journal.path): \(Spoken.count(report.events, "event")) up to position \(report.lastPosition), "
                + "\(Spoken.count(UInt64(report.shards), "shard")): the chain, the fold and the index hold")
    }

    private static func daemon(_ presence: DaemonPresence) -> Diagnosis {
        switch presence {
        case .running(let who, _): .ok("daemon", "running, \(who)")
        case .silent(_, let why):
            .problem("daemon", why, do: "`shakectl status` says more; restart it if it stays so", exitCode: 69)
        case .beingCopied(let who):
            .problem(
                "daemon", "not running; \(DaemonPresence.copying(by: who))",
                do: "put the copy in the journal's place once it is made, and only then start the daemon", exitCode: 75)
        case .notRunning(let why): .ok("daemon", "not running; \(why)")
        }
    }

    // MARK: The configuration, as far as it goes

    /// Where no table is named, those that the journal knows.
    private func daemon(_ configuration: Configuration, _ journal: Journal?) throws(ShakectlError)
        -> DaemonConfiguration?
    {
        do throws(ShakectlError) { return try configuration.daemon(worker: "") } catch {
            guard configuration.settings.tables == nil, configuration.settings.include == nil, let journal else {
                return nil
            }
            let known = try asking(journal.tables).filter { $0.removed == nil }
            guard !known.isEmpty else { return nil }
            var daemon = DaemonConfiguration(tables: known.map(\.table))
            daemon.mode = configuration.settings.mode ?? .all
            return daemon
        }
    }

    /// With the region of the instance that this runs on, where nobody has named one.
    private func located(_ configuration: Configuration) async -> Configuration {
        // Where that can't be asked, what is said of the source says what to set.
        do throws(ShakectlError) { return try await configuration.located(environment) } catch { return configuration }
    }

    /// `nil` where none was named, which is a finding already.
    private mutating func makeTarget(_ configuration: Configuration) throws(ShakectlError) -> (any Target)? {
        guard configuration.settings.target != nil else { return nil }
        do throws(ShakectlError) { return try configuration.makeTarget(environment) } catch {
            try say(.problem("target", error))
            return nil
        }
    }

    private mutating func lookAtPlace(of target: any Target) throws(ShakectlError) {
        guard let path = target.localPath else { return }
        let disk = Disk.under(path)
        try say(.disk(disk, of: path, for: "target", holdsJournal: false))
        let isThere = disk?.place == path
        // Beside a database its log is written, so the folder counts as well.
        let folder = isThere ? Disk.under(URL(fileURLWithPath: path).deletingLastPathComponent().path) : disk
        if let finding = Diagnosis.writable(
            disk, path, isThere: isThere, mayWrite: disk?.mayWrite ?? false, as: "target")
            ?? Diagnosis.writable(
                folder, folder?.place ?? path, isThere: true, mayWrite: folder?.mayWrite ?? false, as: "target")
        {
            try say(finding)
        }
    }

    private mutating func makeClient(_ configuration: Configuration) throws(ShakectlError) -> DynamoDBClient? {
        // An operator waits for it.
        var retry = RetryPolicy()
        retry.maximumAttempts = 3
        let settings = configuration.settings
        do throws(DynamoDBError) {
            return try DynamoDBClient.make(
                SourceConfiguration(region: settings.region, endpoint: settings.endpoint, profile: settings.profile),
                environment: environment, retry: retry, limits: configuration.limits)
        } catch {
            try say(.problem("source", .source(error)))
            return nil
        }
    }

    // MARK: The source

    /// - Returns: whether the target was looked at as well.
    private mutating func lookAtSource(
        _ client: DynamoDBClient, _ configuration: Configuration, _ daemon: DaemonConfiguration?, _ journal: Journal?,
        _ target: (any Target)?
    ) async throws(ShakectlError) -> Bool {
        let found: CredentialsInUse
        do throws(DynamoDBError) { found = try await client.credentialsInUse() } catch {
            try say(.problem("credentials", .source(error)))
            return false
        }
        let identity: Result<CallerIdentity?, DynamoDBError>
        do throws(DynamoDBError) { identity = .success(try await client.callerIdentity()) } catch {
            identity = .failure(error)
        }
        let credentials = Diagnosis.credentials(found, identity, now: .now())
        try say(credentials)
        guard credentials.severity == .ok, let daemon else { return false }
        guard let tables = try await tables(daemon, client) else {
            try say(.clock(client.shownClockLead))
            return false
        }
        let account = (try? identity.get())??.account
        // Where none was named, the source is asked all the same; what the journal says is of another target then.
        let planner = Planner(
            daemon, existing: isJournalUnread ? .append : configuration.settings.existing ?? .refuse,
            journal: target == nil ? nil : journal,
            source: client, target: target ?? NullTarget())
        var isTargetKnown = false
        var all: [TableName]?
        for (index, table) in tables.enumerated() {
            let plan: TablePlan
            do throws(JournalError) { plan = try await planner.plan(table) } catch {
                try say(.problem("journal", .journal(error)))
                return isTargetKnown
            }
            let findings = TableFindings(
                plan, daemon.mode, region: client.region, account: account, target: target?.name ?? "")
            if let error = findings.unreachable {
                try say(.unreachable(error, region: client.region))
                try say(.clock(client.shownClockLead))
                return isTargetKnown
            }
            if let error = findings.refused {
                try say(.refused("access key \(found.accessKeyID)", error))
                try say(.clock(client.shownClockLead))
                return isTargetKnown
            }
            if index == 0 {
                try say(.ok("source", "\(client.endpoint) answers, region \(client.region)"))
                try say(.clock(client.shownClockLead))
            }
            if plan.table == nil, all == nil { all = try? await client.listTables() }
            for finding in findings.all(others: all ?? []) where target != nil || finding.check != "target" {
                if finding.check == "target" { isTargetKnown = true }
                try say(finding)
            }
        }
        return isTargetKnown
    }

    /// `nil` where they can't be listed, which is a finding.
    private mutating func tables(
        _ daemon: DaemonConfiguration, _ client: DynamoDBClient
    ) async throws(ShakectlError) -> [TableName]? {
        guard let globs = daemon.globs else { return daemon.tables }
        let all: [TableName]
        do throws(DynamoDBError) { all = try await client.listTables() } catch {
            switch error {
            case .unreachable: try say(.unreachable(error, region: client.region))
            case .service(let code, let message, _, _, _, _) where error.isDenied:
                try say(
                    .denied("dynamodb:ListTables", table: nil, "\(code): \(message)", on: "*", with: []))
            default: try say(.problem("dynamodb:ListTables", .source(error)))
            }
            return daemon.tables.isEmpty ? nil : daemon.tables
        }
        let matching = all.filter(globs.selects)
        let patterns = globs.include.map(\.description).joined(separator: ", ")
        let detail = "\(Spoken.count(UInt64(all.count), "table")), \(matching.count) of them match \(patterns)"
        try say(
            matching.isEmpty
                ? .warning(
                    "dynamodb:ListTables", detail,
                    do: "check the patterns, the region and the account; tables that are made later are taken up")
                : .ok("dynamodb:ListTables", detail))
        return daemon.tables + matching.sorted().filter { !daemon.tables.contains($0) }
    }

    // MARK: The target

    /// Whether it answers at all, where no table could be asked about.
    private mutating func reach(_ target: any Target) async throws(ShakectlError) {
        let schema = TableSchema(
            name: TableName("shake-doctor"), hash: KeyAttribute(name: Array("pk".utf8), type: .string), range: nil)
        do throws(TargetError) { _ = try await target.survey(schema) } catch {
            return try say(.problem("target", .target(error)))
        }
        try say(.ok("target", "\(target.name): it answers; what it has of each table was not looked at"))
    }
}
