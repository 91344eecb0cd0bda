internal import Dispatcher
internal import Logging
internal import StatusServer
internal import StreamModel
internal import Targets

/// What an operator has said, in one place: the flags, or the file. `nil`: nothing was said.
struct Settings: Hashable, Sendable {
    var journal: String?
    var region: String?
    var endpoint: String?
    var profile: String?
    var enableStreams: Bool?
    var tables: [TableName]?
    var include: [Glob]?
    var exclude: [Glob]?
    var tablesInterval: Duration?
    var target: String?
    var existing: ExistingPolicy?
    var targetOptions: TargetOptions?
    var mode: DaemonConfiguration.Mode?
    var startAt: StartPlace?
    var untilIdle: Duration?
    var logFormat: LogFormat?
    var logLevel: Logger.Level?
    var memoryBudget: Int?
    var maximumPoll: Duration?
    var getRecordsLimit: Int?
    var getRecordsPerTableLimit: Int?
    var describeStreamLimit: Int?
    var describeStreamPerTableLimit: Int?
    var scanSegments: Int?
    var scanReaders: Int?
    var scanCapacity: ScanCapacity?
    var consistentScan: Bool?
    var discoveryInterval: Duration?
    var filterExpressions: [String]?
    var filterNames: String?
    var filterValues: String?
    var onLoss: LossPolicies?
    var deadLetterLimit: Int?
    var foldAge: Duration?
    var foldResolution: Duration?
    var foldHistoryAge: Duration?
    var http: HTTPAddress?
    var httpTokenFile: String?

    /// What was said here, and where nothing was, what was said in `other`.
    func over(_ other: Settings) -> Settings {
        Settings(
            journal: journal ?? other.journal,
            region: region ?? other.region,
            endpoint: endpoint ?? other.endpoint,
            profile: profile ?? other.profile,
            enableStreams: enableStreams ?? other.enableStreams,
            tables: tables ?? other.tables,
            include: include ?? other.include,
            exclude: exclude ?? other.exclude,
            tablesInterval: tablesInterval ?? other.tablesInterval,
            target: target ?? other.target,
            existing: existing ?? other.existing,
            // Options are of a target: one that is named instead has not those of the file's.
            targetOptions: targetOptions ?? (target == nil ? other.targetOptions : nil),
            mode: mode ?? other.mode,
            startAt: startAt ?? other.startAt,
            untilIdle: untilIdle ?? other.untilIdle,
            logFormat: logFormat ?? other.logFormat,
            logLevel: logLevel ?? other.logLevel,
            memoryBudget: memoryBudget ?? other.memoryBudget,
            maximumPoll: maximumPoll ?? other.maximumPoll,
            getRecordsLimit: getRecordsLimit ?? other.getRecordsLimit,
            getRecordsPerTableLimit: getRecordsPerTableLimit ?? other.getRecordsPerTableLimit,
            describeStreamLimit: describeStreamLimit ?? other.describeStreamLimit,
            describeStreamPerTableLimit: describeStreamPerTableLimit ?? other.describeStreamPerTableLimit,
            scanSegments: scanSegments ?? other.scanSegments,
            scanReaders: scanReaders ?? other.scanReaders,
            scanCapacity: scanCapacity ?? other.scanCapacity,
            consistentScan: consistentScan ?? other.consistentScan,
            discoveryInterval: discoveryInterval ?? other.discoveryInterval,
            filterExpressions: filterExpressions ?? other.filterExpressions,
            // An expression comes with names and values of its own.
            filterNames: filterNames ?? (filterExpressions == nil ? other.filterNames : nil),
            filterValues: filterValues ?? (filterExpressions == nil ? other.filterValues : nil),
            onLoss: onLoss ?? other.onLoss,
            deadLetterLimit: deadLetterLimit ?? other.deadLetterLimit,
            foldAge: foldAge ?? other.foldAge,
            foldResolution: foldResolution ?? other.foldResolution,
            foldHistoryAge: foldHistoryAge ?? other.foldHistoryAge,
            http: http ?? other.http,
            httpTokenFile: httpTokenFile ?? other.httpTokenFile)
    }
}
