internal import StreamModel

/// What each key of NimoShake's configuration becomes. Pure: nothing is looked up.
package struct ConfigurationTranslation {
    private let given: NimoShakeConfiguration
    private var notes: [ConfigurationDraft.Note] = []
    /// Lines below each key at the top, in the order in which they are written.
    private var source: [String] = []
    private var tables: [String] = []
    private var target: [String] = []
    private var mode: String?
    private var logLevel: String?
    private var scan: [String] = []

    package static func draft(_ configuration: NimoShakeConfiguration) -> ConfigurationDraft {
        var translation = ConfigurationTranslation(given: configuration)
        for key in NimoShakeKey.allCases { translation.take(key) }
        translation.finish()
        return ConfigurationDraft(
            notes: translation.notes, body: translation.body, importCommand: translation.importCommand)
    }

    private init(given: NimoShakeConfiguration) { self.given = given }

    // MARK: - One key after the other

    private mutating func take(_ key: NimoShakeKey) {
        guard let value = given.values[key] else { return }
        switch key {
        case .version: lose(key, "it says for which NimoShake the file is; nothing is to be done")
        case .id: takeID(value)
        case .logFile:
            if !value.isEmpty {
                lose(key, "logs go to standard error: redirect that, or let the service manager keep it")
            }
        case .logLevel: takeLogLevel(value)
        case .logBuffer: lose(key, "each line is written at once")
        case .pidPath: lose(key, "there is no such file: the journal says who holds it, and a second daemon is refused")
        case .systemProfile: lose(key, "there is no profiling port")
        case .fullSyncPort, .incrSyncPort:
            lose(key, "there is no port: `shakectl status` (--json, --check) says how each table fares")
        case .syncMode: takeMode(value)
        case .accessKeyID, .secretAccessKey, .sessionToken:
            if !value.isEmpty {
                lose(
                    key,
                    "it was not taken over: give credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
                        + "AWS_SESSION_TOKEN) or in a profile in ~/.aws that source.profile names")
            }
        case .region:
            if !value.isEmpty { keep(key, "source.region") { $0.source.append("region: \(Self.quoted(value))") } }
        case .endpoint: takeEndpoint(value)
        case .maximumRetries:
            lose(key, "a call that may succeed is made again for as long as that can help, with growing waits")
        case .timeout: lose(key, "calls have bounds of their own, which can't be set")
        case .fullCalls:
            lose(
                key,
                "NimoShake counts Scan calls, and Shake the capacity that they use up: say scan.capacity, such as 500 or 50%, where "
                    + "the source is to be spared")
        case .fullBatch: lose(key, "each page is as large as the service makes it, 1 MB at most")
        case .incrCalls:
            lose(
                key,
                "NimoShake counts the calls of each shard by itself: limits.get_records_per_table bounds those of all shards of a "
                    + "table, limits.get_records those of all tables")
        case .incrBatch: lose(key, "each page is as large as the service makes it, 1000 records at most")
        case .white: takeWhite(value)
        case .black: takeBlack(value)
        case .targetType, .targetAddress: break  // together, in `finish`
        case .targetMongoDBType:
            if !value.isEmpty {
                lose(
                    key,
                    value == "sharding"
                        ? "the target finds out by itself what it is connected to; shard the collections yourself before the first run"
                        : "the target finds out by itself what it is connected to")
            }
        case .targetExisting: takeExisting(value)
        case .schemaOnly:
            if value == "true" { lose(key, "that is `shakectl run --schema-only`, and no key") }
        case .tablesAtOnce: lose(key, "all tables are scanned at once, within memory_budget and scan.capacity")
        case .fullReaders: takeReaders(value)
        case .fullWriters, .fullParsers: lose(key, "there are as many as the target and the machine take")
        case .fullWriteBatch: lose(key, "a batch is as large as the target takes it")
        case .primaryIndex: lose(key, "the key always has an index, as with NimoShake")
        case .userIndexes:
            lose(
                key,
                value == "true"
                    ? "the target makes the indexes of the table's own, where it can: see docs/TARGETS.md"
                    : "see docs/TARGETS.md for how the target leaves the table's indexes out")
        case .fullUpserts, .incrInsertUpserts, .incrUpserts:
            if value != "true" {
                lose(
                    key,
                    "every write replaces what has the same key: only so a change may come twice and the target still be right"
                )
            }
        case .filterExpression, .filterValues: break  // together, in `finish`
        case .convertType: break  // with the target
        case .convertID: if !isMongoDB { lose(key, "it has no effect with this target") }  // else with it
        case .incrReaders: lose(key, "all shards are read at once: none waits until its records are gone")
        case .persistDirectory: lose(key, "NimoShake keeps nothing there either")
        case .checkpointType, .checkpointAddress, .checkpointDatabase:
            if !value.isEmpty { lose(key, "the journal takes their place; the import reads what is there (see above)") }
        case .incrSyncParallel: lose(key, "the stream is always followed beside the scan, without more memory")
        }
    }

    private mutating func takeID(_ value: String) {
        guard !isDynamoDB else { return lose(.id, "it names nothing with this target") }
        keep(.id, "target.url, as the database's name") { _ in }
    }

    private mutating func takeLogLevel(_ value: String) {
        let levels = [
            "none": "critical", "error": "error", "warn": "warning", "warning": "warning", "info": "info",
            "debug": "debug",
        ]
        guard let level = levels[value.lowercased()] else {
            if !value.isEmpty { lose(.logLevel, "no level of NimoShake's: log.level is info where nothing is said") }
            return
        }
        keep(.logLevel, "log.level") { $0.logLevel = level }
    }

    private mutating func takeMode(_ value: String) {
        switch value {
        case "all", "full", "incr": keep(.syncMode, "mode") { $0.mode = value }
        default: lose(.syncMode, "no mode of NimoShake's: take all, full or incr")
        }
    }

    private mutating func takeEndpoint(_ value: String) {
        guard !value.isEmpty else { return }
        guard value.hasPrefix("http://") || value.hasPrefix("https://"), !value.contains("@") else {
            return lose(.endpoint, "source.endpoint takes a URL without credentials, such as http://localhost:8000")
        }
        keep(.endpoint, "source.endpoint") { $0.source.append("endpoint: \(Self.quoted(value))") }
    }

    private func names(_ value: String) -> [String] {
        value.split(separator: ";").map { String($0.drop { $0 == " " }) }.map { name in
            var name = name
            while name.hasSuffix(" ") { name.removeLast() }
            return name
        }.filter { !$0.isEmpty }
    }

    private mutating func takeWhite(_ value: String) {
        let names = names(value)
        guard !names.isEmpty else { return }
        guard names.allSatisfy(NimoShakeFolder.isTableName) else {
            return lose(.white, "not all of these are names of tables: say tables yourself")
        }
        keep(.white, "tables") { $0.tables = ["tables:"] + names.map { "  - \(Self.quoted($0))" } }
    }

    private mutating func takeBlack(_ value: String) {
        let names = names(value)
        guard !names.isEmpty else { return }
        guard given.text(.white).isEmpty else {
            return lose(
                .black, "with filter.collection.white beside it NimoShake does not start; tables holds that one")
        }
        guard names.allSatisfy(NimoShakeFolder.isTableName) else {
            return lose(.black, "not all of these are names of tables: say tables.exclude yourself")
        }
        keep(.black, "tables.exclude") {
            $0.tables = ["tables:", "  include: '*'", "  exclude:"] + names.map { "    - \(Self.quoted($0))" }
        }
    }

    private mutating func takeExisting(_ value: String) {
        switch value {
        case "drop":
            keep(.targetExisting, "target.existing, of tables that the journal doesn't know") {
                $0.target.append("existing: replace")
            }
        case "rename":
            keep(.targetExisting, "target.existing, of tables that the journal doesn't know") {
                $0.target.append("existing: rename")
            }
        case "": keep(.targetExisting, "target.existing") { $0.target.append("existing: append") }
        default: lose(.targetExisting, "no value of NimoShake's: target.existing is refuse where nothing is said")
        }
    }

    private mutating func takeReaders(_ value: String) {
        guard let readers = Int(value), (1...1000).contains(readers) else {
            if !value.isEmpty, value != "0" { lose(.fullReaders, "scan.readers takes 1 to 1000") }
            return
        }
        keep(.fullReaders, "scan.readers") { $0.scan.append("readers: \(readers)") }
    }

    // MARK: - What several keys say together

    private var isMongoDB: Bool { given.text(.targetType) == "mongodb" }
    private var isDynamoDB: Bool { given.text(.targetType) == "aliyun_dynamo_proxy" }
    private var id: String { given.text(.id).isEmpty ? "nimo-shake" : given.text(.id) }

    private mutating func finish() {
        takeTarget()
        takeFilter()
        let order = NimoShakeKey.allCases.map(\.rawValue)
        for key in NimoShakeKey.allCases where !notes.contains(where: { $0.key == key.rawValue }) {
            guard let value = given.values[key] else { continue }
            notes.append(
                .init(
                    key: key.rawValue, value: shown(key),
                    text: value.isEmpty ? "nothing is said" : "is what Shake does",
                    isKept: true))
        }
        notes.sort { (order.firstIndex(of: $0.key) ?? 0) < (order.firstIndex(of: $1.key) ?? 0) }
        for key in given.twice {
            notes.append(
                .init(key: key.rawValue, value: nil, text: "it stands there twice; the last one counts", isKept: false))
        }
        for (key, line) in given.strangers {
            notes.append(
                .init(
                    key: key, value: nil, text: "NimoShake has no such key (line \(line)), and does not start with it",
                    isKept: false))
        }
        if tables.isEmpty {
            tables = [
                "# NimoShake follows every table that it finds when it starts; these patterns also take those that are made later.",
                "tables:", "  include: '*'",
            ]
        }
    }

    private mutating func takeTarget() {
        let address = given.text(.targetAddress)
        switch given.text(.targetType) {
        case "mongodb": takeMongoDB(address)
        case "aliyun_dynamo_proxy":
            keep(.targetType, "target.url") { $0.target.insert("url: 'dynamodb:'", at: 0) }
            if address.hasPrefix("http"), !address.contains("@") {
                keep(.targetAddress, "target.endpoint") { $0.target.append("endpoint: \(Self.quoted(address))") }
            } else {
                lose(.targetAddress, "target.endpoint takes a URL without credentials, such as http://localhost:8000")
            }
            if given.values[.convertType] != nil {
                lose(.convertType, "it has no effect with this target, with NimoShake either")
            }
        case let other:
            lose(
                .targetType,
                other.isEmpty ? "there is none: say target.url" : "no target of NimoShake's: say target.url yourself")
            if !address.isEmpty { lose(.targetAddress, "say target.url yourself") }
        }
    }

    private mutating func takeMongoDB(_ address: String) {
        let format = given.text(.convertType).isEmpty ? "mchange" : given.text(.convertType)
        guard let url = MongoDBAddress(address)?.url(database: id) else {
            lose(.targetType, "its address is none that MongoDB has: say target.url yourself, mongodb://HOST/\(id)")
            lose(.targetAddress, "it was not taken over: it is no address of a MongoDB")
            if given.values[.convertID] != nil { lose(.convertID, "say target.id_prefix yourself") }
            return
        }
        keep(.targetType, "target.url") { _ in }
        target.insert("url: \(Self.quoted(url.text))", at: 0)
        if url.hadPassword {
            lose(
                .targetAddress,
                "it stands in target.url without its password, which belongs into no such file: docs/TARGETS.md says where the target "
                    + "finds it")
        } else {
            keep(.targetAddress, "target.url") { _ in }
        }
        guard ["raw", "change", "mchange"].contains(format) else {
            if given.values[.convertID] != nil { lose(.convertID, "it is of NimoShake's formats") }
            return lose(.convertType, "no format of NimoShake's: say target.format")
        }
        target.append("format: \(format)")
        if given.values[.convertType] != nil { keep(.convertType, "target.format") { _ in } }
        if let prefix = given.values[.convertID] { takePrefix(prefix) }
    }

    private mutating func takePrefix(_ prefix: String) {
        guard !prefix.isEmpty else {
            return lose(
                .convertID,
                "NimoShake makes an attribute that is called _id the document's own then; here it is pre_id, unless target.id_prefix names "
                    + "another prefix")
        }
        guard !prefix.contains(where: { [".", "$", "%"].contains($0) }) else {
            return lose(.convertID, "target.id_prefix takes no dot, $ or %")
        }
        keep(.convertID, "target.id_prefix") { $0.target.append("id_prefix: \(Self.quoted(prefix))") }
    }

    /// NimoShake filters its scan and nothing else, Shake both scan and stream: to take that over silently would leave changes out.
    private mutating func takeFilter() {
        let expression = given.text(.filterExpression)
        guard !expression.isEmpty else {
            if !given.text(.filterValues).isEmpty { lose(.filterValues, "without an expression it has no effect") }
            return
        }
        let values = given.text(.filterValues).components(between: "~~~").compactMap { pair -> String? in
            let parts = pair.components(between: "```")
            guard parts.count == 3, ["N", "S"].contains(parts[1]) else { return nil }
            return "\(Self.quoted(":" + parts[0])): {\(parts[1]): \(Self.quoted(parts[2]))}"
        }
        lose(
            .filterExpression,
            "NimoShake filters its full sync alone, and every change of the stream comes. A filter of Shake's holds for both; if that "
                + "is wanted: filter: {expression: \(Self.quoted(expression)), values: {\(values.joined(separator: ", "))}}"
        )
        if !given.text(.filterValues).isEmpty { lose(.filterValues, "see full.read.filter_expression") }
    }

    // MARK: - What comes of it

    private var body: [String] {
        var lines: [String] = []
        func add(_ name: String, _ below: [String]) {
            if !below.isEmpty { lines += ["\(name):"] + below.map { "  \($0)" } }
        }
        add("source", source)
        lines += tables
        add("target", target)
        if let mode { lines.append("mode: \(mode)") }
        add("log", logLevel.map { ["level: \($0)"] } ?? [])
        add("scan", scan)
        return lines
    }

    private var importCommand: String {
        let database = given.text(.checkpointDatabase).isEmpty ? "\(id)-checkpoint" : given.text(.checkpointDatabase)
        guard given.text(.checkpointType) == "mongodb" else { return "shakectl import nimoshake \(database)" }
        let address =
            given.text(.checkpointAddress).isEmpty ? given.text(.targetAddress) : given.text(.checkpointAddress)
        let url = MongoDBAddress(address)?.url(database: nil).text ?? "mongodb://HOST"
        return "shakectl import nimoshake '\(url)' --database \(database)"
    }

    private mutating func keep(_ key: NimoShakeKey, _ place: String, _ change: (inout Self) -> Void) {
        change(&self)
        notes.append(
            .init(key: key.rawValue, value: shown(key), text: "is \(place)", isKept: true))
    }

    private mutating func lose(_ key: NimoShakeKey, _ text: String) {
        notes.append(.init(key: key.rawValue, value: shown(key), text: text, isKept: false))
    }

    private func shown(_ key: NimoShakeKey) -> String? { key.mayHoldSecrets ? nil : given.text(key) }

    /// A scalar of YAML that is a text whatever it looks like.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            text.first?.isLetter == true
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        let isWord = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased())
        return isPlain && !isWord ? text : "'" + text.components(between: "'").joined(separator: "''") + "'"
    }
}

extension String {
    /// The parts between occurrences of `separator`.
    fileprivate func components(between separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
