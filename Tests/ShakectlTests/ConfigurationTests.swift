import Dispatcher
import Filter
import Journal
import Logging
import StreamModel
import Targets
import Testing

@testable import shakectl

@Suite("What a command works with")
struct ConfigurationTests {
    private func make(
        _ flags: Settings = Settings(), file: String? = nil, environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws(ShakectlError) -> Configuration {
        try Configuration(flags: flags, file: file, environment: environment) { files[$0] }
    }

    @Test("The journal is the flag's, else the environment's, else the file's, else ./shake.journal")
    func journal() throws {
        let files = ["./shake.yaml": "journal: from-file"]
        let environment = ["SHAKE_JOURNAL": "from-environment"]
        let flags = Settings(journal: "from-flag")
        #expect(try make(flags, environment: environment, files: files).journal == "from-flag")
        #expect(try make(environment: environment, files: files).journal == "from-environment")
        #expect(try make(environment: ["SHAKE_JOURNAL": ""], files: files).journal == "from-file")
        #expect(try make().journal == "./shake.journal")
    }

    @Test("The file is --config's, else SHAKE_CONFIG's, else ./shake.yaml if there is one")
    func file() throws {
        let files = ["a": "target: sqlite:a", "b": "target: sqlite:b", "./shake.yaml": "target: sqlite:c"]
        #expect(try make(file: "a", environment: ["SHAKE_CONFIG": "b"], files: files).settings.target == "sqlite:a")
        #expect(try make(environment: ["SHAKE_CONFIG": "b"], files: files).settings.target == "sqlite:b")
        #expect(try make(files: files).settings.target == "sqlite:c")
        #expect(try make().file == nil)
    }

    @Test("A file that was asked for and isn't there is an error that says who asked")
    func missingFile() {
        #expect { try make(file: "x.yaml") } throws: {
            ($0 as? ShakectlError)?.exitCode == 78 && "\($0)".hasPrefix("x.yaml: there is no such file; --config")
        }
        #expect { try make(environment: ["SHAKE_CONFIG": "x.yaml"]) } throws: {
            ($0 as? ShakectlError)?.exitCode == 78 && "\($0)".contains("SHAKE_CONFIG")
        }
    }

    @Test("Flags win over the file, the file over the defaults")
    func precedence() throws {
        let files = ["./shake.yaml": "tables: [a]\nmode: full\nscan: {segments: 3}\nlog: {level: error}"]
        let configuration = try make(Settings(mode: .incr), files: files)
        let daemon = try configuration.daemon(worker: "w")
        #expect(daemon.mode == .incr)
        #expect(daemon.scanSegments == 3)
        #expect(daemon.scanReaders == nil)
        #expect(daemon.worker == "w")
        #expect(configuration.logLevel == .error)
        #expect(configuration.logFormat == .text)
    }

    @Test("Every setting of the flags wins, whichever it is", arguments: ConfigurationKey.allCases)
    func everyKey(key: ConfigurationKey) throws {
        func said(_ text: String) throws -> Settings {
            var settings = Settings()
            try #require(key.set([text], in: &settings), "\(key) takes \(text)")
            return settings
        }
        let (first, second) = Self.samples(of: key)
        let (flag, file) = (try said(first), try said(second))
        #expect(flag != file)
        #expect(flag.over(file) == flag)
        #expect(Settings().over(file) == file)
    }

    @Test("Options of a target stand beside its URL, and go with it")
    func targetOptions() throws {
        let files = [
            "./shake.yaml": """
            tables: [a]
            target:
              url: postgres://localhost/shake
              existing: append
              schema: replica
              tables: {shop.orders: orders}
            """
        ]
        let settings = try make(Settings(), files: files).settings
        #expect(settings.existing == .append)
        #expect(
            settings.targetOptions?.entries == [
                .init(path: ["schema"], value: "replica"), .init(path: ["tables", "shop.orders"], value: "orders"),
            ])
        #expect(try make(Settings(target: "null:"), files: files).settings.targetOptions == nil, "another target")
        var flags = Settings()
        #expect(ConfigurationKey.targetOptions.set(["schema=other", "tables.shop.orders=o"], in: &flags))
        #expect(
            try make(flags, files: files).settings.targetOptions?.entries == [
                .init(path: ["schema"], value: "other"), .init(path: ["tables", "shop.orders"], value: "o"),
            ])
        for bad in ["schema", "=x", ".a=x", "a.=x"] {
            #expect(!ConfigurationKey.targetOptions.set([bad], in: &flags), "\(bad)")
        }
    }

    @Test("An option that its target does not know is named with file and line")
    func unknownTargetOption() {
        let files = ["./shake.yaml": "tables: [a]\ntarget:\n  url: sqlite:a.db\n  exsiting: append"]
        #expect { try make(Settings(), files: files) } throws: {
            "\($0)".hasPrefix(
                "./shake.yaml:4: 'target.exsiting' is unknown to the target sqlite: did you mean 'existing'?")
        }
    }

    private static func samples(of key: ConfigurationKey) -> (String, String) {
        switch key {
        case .journal, .region, .profile, .tables, .include, .target, .httpTokenFile: ("one", "two")
        case .exclude: ("three", "four")
        case .endpoint: ("http://one", "https://two")
        case .existing: ("append", "rename")
        case .targetOptions: ("schema=one", "tables.shop.orders=two")
        case .mode: ("all", "full")
        case .startAt: ("latest", "trim-horizon")
        case .untilIdle, .maximumPoll, .discoveryInterval, .tablesInterval: ("1s", "2s")
        case .logFormat: ("text", "json")
        case .logLevel: ("info", "error")
        case .memoryBudget: ("32MiB", "64MiB")
        case .scanSegments, .scanReaders, .scanCapacity: ("1", "2")
        case .getRecordsLimit, .getRecordsPerTableLimit, .describeStreamLimit, .describeStreamPerTableLimit: ("1", "2")
        case .consistentScan, .enableStreams: ("true", "false")
        case .filterExpression: ("a = b", "orders: a = b")
        case .filterNames: (##"{"#a": "a"}"##, ##"{"#b": "b"}"##)
        case .filterValues: (#"{":a": {"S": "a"}}"#, #"{":b": {"S": "b"}}"#)
        case .onLoss: ("skip", "orders=resync")
        case .deadLetterLimit: ("1", "2")
        case .foldAge, .foldHistoryAge: ("48h", "30d")
        case .foldResolution: ("10m", "1h")
        case .http: ("127.0.0.1:1", "localhost:2")
        }
    }

    @Test(
        "The start is spelled as an option or as the service does",
        arguments: ["trim-horizon", "trim_horizon", "TRIM_HORIZON"])
    func startAt(text: String) {
        #expect(StartPlace(text) == .trimHorizon)
    }

    @Test("A scan's capacity is units a second, or a share of what is provisioned")
    func capacity() {
        #expect(Spelling.capacity("500") == .units(500))
        #expect(Spelling.capacity("0.5") == .units(0.5))
        #expect(Spelling.capacity("50%") == .share(0.5))
        #expect(Spelling.capacity("50 %") == .share(0.5))
        #expect(Spelling.capacity("100%") == .share(1))
        for wrong in ["0", "0%", "101%", "%", "", "-1", "1e3", "half", "5 0%"] {
            #expect(Spelling.capacity(wrong) == nil, "\(wrong)")
        }
    }

    @Test("The policy for losses is one for all tables, and others for some of them")
    func onLoss() throws {
        let tables = "tables: [orders, users]\n"
        let policies = { (text: String) in
            try make(files: ["./shake.yaml": tables + text]).daemon(worker: "").onLoss
        }
        #expect(try policies("") == LossPolicies(.stop))
        #expect(try policies("on_loss: skip") == LossPolicies(.skip))
        #expect(
            try policies("on_loss: [skip, users=resync]") == LossPolicies(.skip, tables: [TableName("users"): .resync]))
    }

    @Test(
        "What is no policy is refused, and says what one looks like",
        arguments: [
            "forget", "[skip, stop]", "[users=skip, users=stop]", "users=", "=skip", "strangers=skip",
        ])
    func wrongPolicy(text: String) {
        #expect {
            try make(files: ["./shake.yaml": "tables: [orders, users]\non_loss: \(text)"]).daemon(worker: "")
        } throws: {
            ($0 as? ShakectlError)?.exitCode == 78
        }
    }

    @Test("A filter is one for all tables, and others for some of them; a file writes its values as keys and values")
    func filters() throws {
        let file = """
            tables: [orders, users, rest]
            filter:
              expression: ["#s = :s", "orders: price > :p", "users: contains(tags, :s) OR gone = :gone"]
              names: {"#s": status}
              values: {":s": {S: "1"}, ":p": {N: 10}, ":gone": {L: [{NULL: true}, {M: {a: {BOOL: true}, b: {NS: [1, 2]}}}]}}

            """
        let filters = try make(files: ["./shake.yaml": file]).daemon(worker: "").filters
        #expect(filters[TableName("rest")]?.expression == "#s = :s")
        #expect(filters[TableName("orders")]?.expression == "price > :p")
        #expect(text(filters[TableName("orders")]?.values) == #"{":p":{"N":"10"}}"#)
        #expect(filters[TableName("orders")]?.names == nil)
        #expect(text(filters[TableName("rest")]?.names) == ##"{"#s":"status"}"##)
        #expect(
            text(filters[TableName("users")]?.values)
                == #"{":gone":{"L":[{"NULL":true},{"M":{"a":{"BOOL":true},"b":{"NS":["1","2"]}}}]},":s":{"S":"1"}}"#)
        #expect(try make(files: ["./shake.yaml": "tables: [a]"]).daemon(worker: "").filters == TableFilters())
    }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("A filter is for what is followed, also by a pattern")
    func filterOfPattern() throws {
        func make(_ filter: String) throws -> TableFilters {
            let settings = Settings(
                include: [Glob("shop-*")], exclude: [Glob("*-tmp")], filterExpressions: [filter])
            return try self.make(settings).daemon(worker: "").filters
        }
        let filters = try make("shop-orders: attribute_exists(a)")
        #expect(filters[TableName("shop-orders")] != nil && filters[TableName("shop-users")] == nil)
        for stranger in ["orders: attribute_exists(a)", "shop-tmp: attribute_exists(a)"] {
            #expect { try make(stranger) } throws: {
                ($0 as? ShakectlError)?.exitCode == 64 && "\($0)".hasSuffix("no --include matches it")
            }
        }
    }

    @Test("What is wrong with the flags is said in the name of the command that has them")
    func named() throws {
        let configuration = try Configuration(command: "plan", flags: Settings(), file: nil, environment: [:]) { _ in
            nil
        }
        #expect { try configuration.daemon(worker: "") } throws: { "\($0)".hasPrefix("plan: no table to follow") }
    }

    @Test("A filter of the flags brings names and values of its own")
    func filterOfFlags() throws {
        let file = "tables: [a]\nfilter: {expression: b = :b, values: {\":b\": {S: x}}}"
        let flags = Settings(filterExpressions: [":c = c"], filterValues: #"{":c":{"N":"1"}}"#)
        let filter = try make(flags, files: ["./shake.yaml": file]).daemon(worker: "").filters.standard
        #expect(filter?.expression == ":c = c")
        #expect(text(filter?.values) == #"{":c":{"N":"1"}}"#)
    }

    @Test(
        "A wrong filter is refused, with the place",
        arguments: [
            ("{expression: a = b c}", "the filter 'a = b c': character 7: expected AND, OR or the end, found 'c'"),
            ("{expression: status = b}", "character 1: status is a reserved word of DynamoDB: write #status"),
            ("{expression: a = :b}", "character 5: :b is not among the values"),
            ("{expression: a = b, values: {\":b\": {S: x}}}", "no expression uses :b"),
            ("{values: {\":b\": {S: x}}}", "no expression uses :b"),
            ("{expression: a = :b, values: {\":b\": {N: x}}}", "values: :b must be an attribute value"),
            ("{expression: a = :b, values: [x]}", "'filter.values' expects values in JSON"),
            ("{expression: a = :b, values: \"{\"}", "not a JSON object"),
            ("{expression: [a = b, c = d]}", "two filters for all tables"),
            ("{expression: \"order: a = b\"}", "which is not followed: did you mean 'orders'?"),
            ("{expression: \"\"}", "'filter.expression' expects a condition"),
        ])
    func wrongFilter(text: String, message: String) {
        #expect {
            try make(files: ["./shake.yaml": "tables: [orders, users]\nfilter: \(text)"]).daemon(worker: "")
        } throws: {
            ($0 as? ShakectlError)?.exitCode == 78 && "\($0)".contains(message)
        }
    }

    @Test("A table is never scanned again where the mode allows no scan")
    func resyncNeedsScan() {
        #expect {
            try make(files: ["./shake.yaml": "tables: [a]\nmode: incr\non_loss: resync"]).daemon(worker: "")
        } throws: {
            "\($0)".contains("--mode all")
        }
    }

    @Test("A table named twice is followed once")
    func twice() throws {
        let tables = ["a", "b", "a"].map { TableName($0) }
        #expect(try make(Settings(tables: tables)).daemon(worker: "").tables == [TableName("a"), TableName("b")])
    }

    @Test("Without tables or target, the error says how to name them: usage by flags, configuration by file")
    func nothingToDo() throws {
        #expect { try make().daemon(worker: "") } throws: {
            ($0 as? ShakectlError)?.exitCode == 64 && "\($0)".contains("--table orders")
        }
        let file = try make(files: ["./shake.yaml": "mode: all"])
        #expect { try file.daemon(worker: "") } throws: {
            ($0 as? ShakectlError)?.exitCode == 78 && "\($0)".hasPrefix("./shake.yaml: no table")
        }
        #expect { try make().target() } throws: { "\($0)".contains("--target sqlite:") }
        #expect { try file.target() } throws: { ($0 as? ShakectlError)?.exitCode == 78 }
    }
}
