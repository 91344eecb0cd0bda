internal import AllTargets
internal import ArgumentParser
internal import Dispatcher
internal import Journal
internal import Targets

/// What a daemon is to do: for `run`, which does it, and `plan`, which says it.
struct RunOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption, help: .init("A table to follow. Give several, or repeat it.", valueName: "table"),
        completion: JournalNames.ofTables)
    var table: [String] = []

    @Option(
        parsing: .singleValue,
        help: .init(
            "Follow all tables of the account that match, also such as are made later. Repeat it for more.",
            valueName: "pattern"))
    var include: [String] = []

    @Option(
        parsing: .singleValue,
        help: .init("Leave out of these what matches. Repeat it for more.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init("How often new tables are looked for with --include (default: 30s).", valueName: "duration"))
    var tablesInterval: String?

    @Option(
        help: .init("Where to: \(TargetSchemes.all.forms.joined(separator: ", ")).", valueName: "url"))
    var target: String?

    @Option(
        parsing: .singleValue,
        help: .init(
            "An option of the target, such as schema=replica (docs/TARGETS.md has each target's). Repeat it for more.",
            valueName: "name=value"))
    var targetOption: [String] = []

    @Option(
        help: .init(
            """
            What becomes of what lies in the target when the journal knows nothing of it: refuse it, append to it, replace it, \
            or rename it, which keeps it under another name. What the journal was written with is always gone on with \
            (default: refuse).
            """, valueName: "refuse|append|replace|rename"),
        completion: .list(ExistingPolicy.allCases.map(\.rawValue)))
    var existing: String?

    @Option(
        help: .init(
            "all: scan tables that were never scanned, then follow; full: only scan; incr: only follow (default: all).",
            valueName: "all|full|incr"), completion: .list(DaemonConfiguration.Mode.allCases.map(\.rawValue)))
    var mode: String?

    @Option(
        help: .init(
            """
            Where incr begins in a shard of which the journal knows neither it nor any ancestor: at all that the stream \
            still holds, or only at what comes from now on (default: trim-horizon).
            """, valueName: "trim-horizon|latest"),
        completion: .list(StartPlace.allCases.map(\.rawValue)))
    var startAt: String?

    @Option(
        parsing: .unconditional,
        help: .init("Exit 0 once every table is in step and nothing came for that long.", valueName: "seconds"))
    var untilIdle: String?

    @Option(
        parsing: .unconditional,
        help: .init("Bytes of records held in memory at once (default: 32MiB).", valueName: "size"))
    var memoryBudget: String?

    @Option(
        parsing: .unconditional,
        help: .init("The longest wait between two looks at an idle shard (default: 1s).", valueName: "duration"))
    var pollMaximum: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Calls of GetRecords a second, of all shards; idle shards are asked less often where there are more of them \
            (default: 1000).
            """, valueName: "n"))
    var limitGetRecords: String?

    @Option(
        parsing: .unconditional,
        help: .init("The same for each table (default: as many as all may).", valueName: "n"))
    var limitGetRecordsPerTable: String?

    @Option(
        parsing: .unconditional,
        help: .init("Calls of DescribeStream a second, of which the service takes 10 (default: 8).", valueName: "n"))
    var limitDescribeStream: String?

    @Option(
        parsing: .unconditional,
        help: .init("The same for each table's stream (default: as many as all may).", valueName: "n"))
    var limitDescribeStreamPerTable: String?

    @Option(
        parsing: .unconditional,
        help: .init("Segments that a scan is cut into (default: one for each 256 MiB, from 8 to 256).", valueName: "n"))
    var scanSegments: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Segments that are read at a time (default: 4, and more as long as that is faster).", valueName: "n"))
    var scanReaders: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            What a table's scan may consume: read capacity units a second, or a share of what the table is provisioned with, \
            such as 50% (default: as fast as it goes).
            """, valueName: "units|share"))
    var scanCapacity: String?

    @Option(
        help: .init("Whether scans read consistently, at twice the cost (default: true).", valueName: "true|false"),
        completion: .list(["true", "false"]))
    var scanConsistent: String?

    @Option(
        parsing: .unconditional,
        help: .init("How often the list of shards is read besides when one ends (default: 30s).", valueName: "duration")
    )
    var discoveryInterval: String?

    @Option(
        help: .init(
            """
            Copy only items that match a condition, such as 'price > :p': the scan leaves others out, and a change after \
            which an item does not match deletes it at the target. 'TABLE: CONDITION' is for one table; repeat it for more.
            """, valueName: "condition"))
    var filterExpression: [String] = []

    @Option(
        help: .init(##"What #names in filters stand for: {"#s": "status"}."##, valueName: "json"))
    var expressionAttributeNames: String?

    @Option(
        help: .init(#"What :values in filters stand for: {":p": {"N": "10"}}."#, valueName: "json"))
    var expressionAttributeValues: String?

    @Option(
        help: .init(
            """
            What to do where the stream no longer has what is needed (trimmed after 24 h, a shard gone, another stream): \
            stop the table until you have looked, skip to the oldest record left, or resync, a full scan again \
            (default: stop). TABLE=POLICY is for one table; repeat it for more.
            """, valueName: "stop|skip|resync"),
        completion: .list(LossPolicy.allCases.map(\.rawValue)))
    var onLoss: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            How many records of a table may wait as dead letters, since the target can't hold them, before the table \
            stops (default: 100).
            """, valueName: "n"))
    var deadLetterLimit: String?

    @Flag(
        inversion: .prefixedNo,
        help: .init(
            """
            Enable a stream with new and old images for a table that has none (it needs dynamodb:UpdateTable); one that is \
            enabled is never changed (default: --no-enable-streams).
            """))
    var enableStreams: Bool?

    @OptionGroup var folding: FoldOptions
    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Serve metrics, health, an API and a page over HTTP there, such as 127.0.0.1:9464. What is no loopback address \
            needs --http-token-file.
            """, valueName: "host:port"))
    var http: String?

    @Option(
        help: .init(
            "A file with the token that each HTTP request has to show, save for /livez.", valueName: "file"))
    var httpTokenFile: String?

    @OptionGroup var source: SourceOptions

    /// - Throws: `.usage`.
    func add(to settings: inout Settings) throws(ShakectlError) {
        try source.add(to: &settings)
        try folding.add(to: &settings)
        try settings.take(enableStreams.map { "\($0)" }, for: .enableStreams)
        try settings.take(table, for: .tables)
        try settings.take(include, for: .include)
        try settings.take(exclude, for: .exclude)
        try settings.take(tablesInterval, for: .tablesInterval)
        try settings.take(target, for: .target)
        try settings.take(targetOption, for: .targetOptions)
        try settings.take(existing, for: .existing)
        try settings.take(mode, for: .mode)
        try settings.take(startAt, for: .startAt)
        try settings.take(untilIdle, for: .untilIdle)
        try settings.take(memoryBudget, for: .memoryBudget)
        try settings.take(pollMaximum, for: .maximumPoll)
        try settings.take(limitGetRecords, for: .getRecordsLimit)
        try settings.take(limitGetRecordsPerTable, for: .getRecordsPerTableLimit)
        try settings.take(limitDescribeStream, for: .describeStreamLimit)
        try settings.take(limitDescribeStreamPerTable, for: .describeStreamPerTableLimit)
        try settings.take(scanSegments, for: .scanSegments)
        try settings.take(scanReaders, for: .scanReaders)
        try settings.take(scanCapacity, for: .scanCapacity)
        try settings.take(scanConsistent, for: .consistentScan)
        try settings.take(discoveryInterval, for: .discoveryInterval)
        try settings.take(filterExpression, for: .filterExpression)
        try settings.take(expressionAttributeNames, for: .filterNames)
        try settings.take(expressionAttributeValues, for: .filterValues)
        try settings.take(onLoss, for: .onLoss)
        try settings.take(deadLetterLimit, for: .deadLetterLimit)
        try settings.take(http, for: .http)
        try settings.take(httpTokenFile, for: .httpTokenFile)
    }
}
