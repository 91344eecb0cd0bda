internal import Dispatcher
internal import Journal
internal import Logging
internal import StatusServer
internal import StreamModel
internal import Targets

/// Everything that can be configured: a path in the file and a flag, read by the same rule.
enum ConfigurationKey: String, CaseIterable, Sendable {
    case journal
    case region = "source.region"
    case endpoint = "source.endpoint"
    case profile = "source.profile"
    case enableStreams = "source.enable_streams"
    case tables
    case include = "tables.include"
    case exclude = "tables.exclude"
    case tablesInterval = "tables.interval"
    case target
    case existing = "target.existing"
    case targetOptions = "target.options"
    case mode
    case startAt = "start_at"
    case untilIdle = "until_idle"
    case logFormat = "log.format"
    case logLevel = "log.level"
    case memoryBudget = "memory_budget"
    case maximumPoll = "poll.maximum"
    case getRecordsLimit = "limits.get_records"
    case getRecordsPerTableLimit = "limits.get_records_per_table"
    case describeStreamLimit = "limits.describe_stream"
    case describeStreamPerTableLimit = "limits.describe_stream_per_table"
    case scanSegments = "scan.segments"
    case scanReaders = "scan.readers"
    case scanCapacity = "scan.capacity"
    case consistentScan = "scan.consistent"
    case discoveryInterval = "discovery_interval"
    case filterExpression = "filter.expression"
    case filterNames = "filter.names"
    case filterValues = "filter.values"
    case onLoss = "on_loss"
    case deadLetterLimit = "dead_letter_limit"
    case foldAge = "fold.after"
    case foldResolution = "fold.resolution"
    case foldHistoryAge = "fold.history"
    case http
    case httpTokenFile = "http.token_file"

    var path: String { rawValue }

    /// What stands alone as `target: URL` is `url` where there are keys beside it; `http: HOST:PORT` is `address`.
    init?(path: String) {
        guard path != Self.targetOptions.path else { return nil }
        self.init(rawValue: path == "target.url" ? "target" : path == "http.address" ? "http" : path)
    }

    /// The flag that says the same and wins over the file.
    var flag: String {
        switch self {
        case .journal: "--journal"
        case .region: "--region"
        case .endpoint: "--source-endpoint"
        case .profile: "--profile"
        case .enableStreams: "--enable-streams"
        case .tables: "--table"
        case .include: "--include"
        case .exclude: "--exclude"
        case .tablesInterval: "--tables-interval"
        case .target: "--target"
        case .existing: "--existing"
        case .targetOptions: "--target-option"
        case .mode: "--mode"
        case .startAt: "--start-at"
        case .untilIdle: "--until-idle"
        case .logFormat: "--log-format"
        case .logLevel: "--log-level"
        case .memoryBudget: "--memory-budget"
        case .maximumPoll: "--poll-maximum"
        case .getRecordsLimit: "--limit-get-records"
        case .getRecordsPerTableLimit: "--limit-get-records-per-table"
        case .describeStreamLimit: "--limit-describe-stream"
        case .describeStreamPerTableLimit: "--limit-describe-stream-per-table"
        case .scanSegments: "--scan-segments"
        case .scanReaders: "--scan-readers"
        case .scanCapacity: "--scan-capacity"
        case .consistentScan: "--scan-consistent"
        case .discoveryInterval: "--discovery-interval"
        // As the AWS CLI has them.
        case .filterExpression: "--filter-expression"
        case .filterNames: "--expression-attribute-names"
        case .filterValues: "--expression-attribute-values"
        case .onLoss: "--on-loss"
        case .deadLetterLimit: "--dead-letter-limit"
        case .foldAge: "--fold-after"
        case .foldResolution: "--fold-resolution"
        case .foldHistoryAge: "--fold-history"
        case .http: "--http"
        case .httpTokenFile: "--http-token-file"
        }
    }

    var isList: Bool { self == .tables || self == .targetOptions || mayBeOne }
    /// Whether a list of one may be written as that one.
    var mayBeOne: Bool { [.include, .exclude, .onLoss, .filterExpression].contains(self) }
    /// Whether its flag takes no value: `--no-…` says the opposite.
    var isSwitch: Bool { self == .enableStreams }
    /// Whether its value is JSON, for which the file may have keys and values.
    var isJSON: Bool { self == .filterNames || self == .filterValues }

    /// What a value looks like; ends the sentence "… expects".
    var expects: String {
        switch self {
        case .journal: "a folder, such as ./shake.journal"
        case .region: "a region, such as eu-central-1"
        case .endpoint: "a URL, such as http://localhost:8000"
        case .profile: "the name of a profile in ~/.aws"
        case .tables: "a list of table names (letters, digits, '_', '-' and '.'), such as [orders, users]"
        case .include, .exclude:
            "patterns for names of tables ('*' stands for any characters, '?' for one), such as 'shop-*'"
        case .tablesInterval: "a duration from 1s to 1d, such as 30s or 5m"
        case .target: "a URL, such as sqlite:replica.db or jsonl:changes.jsonl"
        case .existing: Spoken.choice(ExistingPolicy.allCases.map(\.rawValue))
        case .targetOptions: "options of the target as NAME=VALUE, such as schema=replica or tables.orders=orders-copy"
        case .mode: Spoken.choice(DaemonConfiguration.Mode.allCases.map(\.rawValue))
        case .startAt: Spoken.choice(StartPlace.allCases.map(\.rawValue))
        case .untilIdle: "a number of seconds or a duration, such as 5, 30s or 5m"
        case .logFormat: Spoken.choice(LogFormat.allCases.map(\.rawValue))
        case .logLevel: Spoken.choice(Logger.Level.allCases.map(\.rawValue))
        case .memoryBudget: "a size of at least 4MiB, such as 32MiB"
        case .maximumPoll: "a duration from 10ms to 1h, such as 250ms or 1s"
        case .getRecordsLimit, .getRecordsPerTableLimit: "a whole number of calls a second, from 1 to 100000"
        case .describeStreamLimit, .describeStreamPerTableLimit: "a whole number of calls a second, from 1 to 1000"
        case .scanSegments: "a whole number from 1 to 1000000"
        case .scanReaders: "a whole number from 1 to 1000"
        case .scanCapacity: "read capacity units a second, such as 500, or a share of what is provisioned, such as 50%"
        case .consistentScan, .enableStreams: "true or false"
        case .discoveryInterval: "a duration from 100ms to 1d, such as 30s or 5m"
        case .filterExpression: "a condition for all tables, such as 'price > :p', or as 'TABLE: CONDITION' for one"
        case .filterNames: ##"names in JSON, such as {"#s": "status"}"##
        case .filterValues: #"values in JSON, such as {":p": {"N": "10"}}"#
        case .onLoss: "\(Self.policies), for all tables or as TABLE=POLICY for one"
        case .deadLetterLimit: "a whole number from 0 to 1000"
        case .foldAge, .foldHistoryAge: "a duration of at least 1h, such as 48h or 30d"
        case .foldResolution: "a duration from 1s to 1d, such as 10m or 1h"
        case .http: "an address and a port, such as 127.0.0.1:9464 or [::1]:9464"
        case .httpTokenFile: "a file that holds a token, such as /etc/shake/http-token"
        }
    }

    private static let policies = Spoken.choice(LossPolicy.allCases.map(\.rawValue))

    /// The same for the flag, which takes one value at a time.
    var flagExpects: String {
        self == .tables ? "a table's name (letters, digits, '_', '-' and '.'); repeat it for more" : expects
    }

    /// Takes `values` over into `settings`: exactly one, save for a list.
    ///
    /// - Returns: `false`, and nothing is changed, where they aren't what is expected.
    func set(_ values: [String], in settings: inout Settings) -> Bool {
        if self == .tables {
            guard !values.isEmpty, values.allSatisfy(Self.isTableName) else { return false }
            settings.tables = values.map { TableName($0) }
            return true
        }
        if self == .include { return take(Self.globs(values), into: &settings.include) }
        if self == .exclude { return take(Self.globs(values), into: &settings.exclude) }
        if self == .targetOptions { return take(Self.options(values), into: &settings.targetOptions) }
        if self == .onLoss { return take(Self.lossPolicies(values), into: &settings.onLoss) }
        if self == .filterExpression {
            guard !values.isEmpty, values.allSatisfy({ $0.contains { !$0.isWhitespace } }) else { return false }
            settings.filterExpressions = values
            return true
        }
        guard values.count == 1, let text = values.first, !text.isEmpty else { return false }
        switch self {
        case .tables, .include, .exclude, .targetOptions, .onLoss, .filterExpression: return false
        case .tablesInterval:
            return take(
                Spelling.duration(text), within: .seconds(1)...(.seconds(86_400)), into: &settings.tablesInterval)
        case .filterNames: settings.filterNames = text
        case .filterValues: settings.filterValues = text
        case .journal: settings.journal = text
        case .region: settings.region = text
        case .endpoint:
            guard text.hasPrefix("http://") || text.hasPrefix("https://") else { return false }
            settings.endpoint = text
        case .profile: settings.profile = text
        case .enableStreams: return take(Bool(text.lowercased()), into: &settings.enableStreams)
        case .target: settings.target = text
        case .existing: return take(ExistingPolicy(rawValue: text), into: &settings.existing)
        case .mode: return take(DaemonConfiguration.Mode(rawValue: text), into: &settings.mode)
        case .startAt: return take(StartPlace(text), into: &settings.startAt)
        case .untilIdle: return take(Spelling.duration(text), into: &settings.untilIdle)
        case .logFormat: return take(LogFormat(rawValue: text), into: &settings.logFormat)
        case .logLevel: return take(Logger.Level(rawValue: text.lowercased()), into: &settings.logLevel)
        case .memoryBudget: return take(Spelling.size(text), within: (4 << 20)...Int.max, into: &settings.memoryBudget)
        case .maximumPoll:
            return take(
                Spelling.duration(text), within: .milliseconds(10)...(.seconds(3600)), into: &settings.maximumPoll)
        case .getRecordsLimit: return take(Int(text), within: 1...100_000, into: &settings.getRecordsLimit)
        case .getRecordsPerTableLimit:
            return take(Int(text), within: 1...100_000, into: &settings.getRecordsPerTableLimit)
        case .describeStreamLimit: return take(Int(text), within: 1...1000, into: &settings.describeStreamLimit)
        case .describeStreamPerTableLimit:
            return take(Int(text), within: 1...1000, into: &settings.describeStreamPerTableLimit)
        case .scanSegments: return take(Int(text), within: 1...1_000_000, into: &settings.scanSegments)
        case .scanReaders: return take(Int(text), within: 1...1000, into: &settings.scanReaders)
        case .scanCapacity: return take(Spelling.capacity(text), into: &settings.scanCapacity)
        case .consistentScan: return take(Bool(text.lowercased()), into: &settings.consistentScan)
        case .discoveryInterval:
            return take(
                Spelling.duration(text), within: .milliseconds(100)...(.seconds(86_400)),
                into: &settings.discoveryInterval)
        case .deadLetterLimit: return take(Int(text), within: 0...1000, into: &settings.deadLetterLimit)
        case .foldAge: return take(Spelling.duration(text), within: FoldPolicy.ages, into: &settings.foldAge)
        case .foldResolution:
            return take(Spelling.duration(text), within: FoldPolicy.resolutions, into: &settings.foldResolution)
        case .foldHistoryAge:
            return take(Spelling.duration(text), within: FoldPolicy.ages, into: &settings.foldHistoryAge)
        case .http: return take(HTTPAddress(text), into: &settings.http)
        case .httpTokenFile: settings.httpTokenFile = text
        }
        return true
    }

    private static func globs(_ values: [String]) -> [Glob]? {
        guard !values.isEmpty, values.allSatisfy({ isTableName($0.filter { $0 != "*" && $0 != "?" } + "x") }) else {
            return nil
        }
        return values.contains("") ? nil : values.map { Glob($0) }
    }

    /// `schema=replica`, or `tables.orders=orders-copy`: only the first point divides, since names of tables have some.
    private static func options(_ values: [String]) -> TargetOptions? {
        var entries: [TargetOptions.Entry] = []
        for value in values {
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { return nil }
            let path = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !path.contains("") else { return nil }
            entries.append(TargetOptions.Entry(path: path, value: parts[1]))
        }
        return values.isEmpty ? nil : TargetOptions(entries)
    }

    /// `stop`, or `orders=skip`; each table once, and one policy at most for all others.
    private static func lossPolicies(_ values: [String]) -> LossPolicies? {
        var standard: LossPolicy?
        var tables: [TableName: LossPolicy] = [:]
        for value in values {
            let parts = value.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard let policy = LossPolicy(rawValue: parts[parts.count - 1]) else { return nil }
            switch parts.count {
            case 1 where standard == nil: standard = policy
            case 2 where isTableName(parts[0]):
                guard tables.updateValue(policy, forKey: TableName(parts[0])) == nil else { return nil }
            default: return nil
            }
        }
        return values.isEmpty ? nil : LossPolicies(standard ?? .stop, tables: tables)
    }

    private func take<Value>(_ value: Value?, into place: inout Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private func take<Value: Comparable>(_ value: Value?, within range: ClosedRange<Value>, into place: inout Value?)
        -> Bool
    {
        take(value.flatMap { range.contains($0) ? $0 : nil }, into: &place)
    }

    /// API Reference, CreateTable. Its lower bound of 3 characters is left to the service: some endpoints have none.
    static func isTableName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
