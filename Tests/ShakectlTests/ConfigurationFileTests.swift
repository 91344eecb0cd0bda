import Dispatcher
import Logging
import StreamModel
import Testing

@testable import shakectl

@Suite("The configuration file")
struct ConfigurationFileTests {
    private func read(_ text: String) throws(ShakectlError) -> Settings {
        try ConfigurationFile(name: "shake.yaml").settings(from: text)
    }

    /// What the error says, and that it is one of configuration (exit code 78).
    private func message(of text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch {
            #expect(error.exitCode == 78)
            return error.description
        }
    }

    @Test("Every key of the help's example is read")
    func whole() throws {
        let settings = try read(
            """
            journal: /var/lib/shake
            source: {region: eu-central-1, endpoint: "http://localhost:8000", profile: replication, enable_streams: true}
            tables: [orders, users]
            target: sqlite:/var/lib/shake/replica.db
            mode: incr                   # all, full or incr
            start_at: latest
            until_idle: 5
            log: {format: json, level: debug}
            memory_budget: 64MiB
            poll: {maximum: 250ms}
            limits: {get_records: 500, get_records_per_table: 100, describe_stream: 5, describe_stream_per_table: 2}
            scan: {segments: 16, readers: 2, capacity: 50%, consistent: false}
            discovery_interval: 5m
            """)
        #expect(
            settings
                == Settings(
                    journal: "/var/lib/shake", region: "eu-central-1", endpoint: "http://localhost:8000",
                    profile: "replication", enableStreams: true, tables: [TableName("orders"), TableName("users")],
                    target: "sqlite:/var/lib/shake/replica.db", mode: .incr, startAt: .latest, untilIdle: .seconds(5),
                    logFormat: .json, logLevel: .debug, memoryBudget: 64 << 20, maximumPoll: .milliseconds(250),
                    getRecordsLimit: 500, getRecordsPerTableLimit: 100, describeStreamLimit: 5,
                    describeStreamPerTableLimit: 2, scanSegments: 16,
                    scanReaders: 2, scanCapacity: .share(0.5), consistentScan: false,
                    discoveryInterval: .seconds(300)))
    }

    @Test("An empty file, or one of comments, says nothing", arguments: ["", "\n", "# nothing\n", "---\n", "{}"])
    func empty(text: String) throws {
        #expect(try read(text) == Settings())
    }

    @Test(
        "An unknown key is an error that names its line and the nearest known one",
        arguments: [
            ("journal: x\ntabels: [a]", "shake.yaml:2: unknown key 'tabels': did you mean 'tables'?"),
            ("start-at: latest", "shake.yaml:1: unknown key 'start-at': did you mean 'start_at'?"),
            ("regoin: eu-central-1", "shake.yaml:1: unknown key 'regoin': did you mean 'source.region'?"),
            ("region: eu-central-1", "shake.yaml:1: unknown key 'region': did you mean 'source.region'?"),
            ("source:\n  regoin: x", "shake.yaml:2: unknown key 'source.regoin': did you mean 'source.region'?"),
            ("sources: {region: x}", "shake.yaml:1: unknown key 'sources': did you mean 'source'?"),
            ("log: {fromat: json}", "shake.yaml:1: unknown key 'log.fromat': did you mean 'log.format'?"),
        ])
    func unknown(text: String, message: String) {
        #expect(self.message(of: text) == message)
    }

    @Test(
        "A secret is refused, and the error says where credentials come from",
        arguments: [
            "access_key: AKIA", "aws_secret_access_key: x", "source: {accessKeyId: x}", "password: x",
            "source:\n  session_token: x",
        ])
    func secret(text: String) throws {
        let problem = try #require(message(of: text))
        #expect(problem.contains("secrets don't belong"))
        #expect(problem.contains("AWS_ACCESS_KEY_ID"))
        #expect(problem.contains("source.profile"))
        #expect(!problem.contains("AKIA"))
    }

    @Test(
        "A wrong value is an error that names its line, and says what was expected and what was found",
        arguments: [
            ("mode: both", "shake.yaml:1: 'mode' expects all, full or incr, found 'both'"),
            ("\nmode: [all]", "shake.yaml:2: 'mode' expects all, full or incr, found a list"),
            ("mode:", "shake.yaml:1: 'mode' expects all, full or incr, found nothing"),
            (
                "scan: {segments: many}",
                "shake.yaml:1: 'scan.segments' expects a whole number from 1 to 1000000, found 'many'"
            ),
            (
                "scan: {segments: 0}",
                "shake.yaml:1: 'scan.segments' expects a whole number from 1 to 1000000, found '0'"
            ),
            ("poll: 5", "shake.yaml:1: 'poll' expects keys below it (maximum), found '5'"),
            (
                "poll: {maximum: fast}",
                "shake.yaml:1: 'poll.maximum' expects a duration from 10ms to 1h, such as 250ms or 1s, found 'fast'"
            ),
            (
                "memory_budget: 1KiB",
                "shake.yaml:1: 'memory_budget' expects a size of at least 4MiB, such as 32MiB, found '1KiB'"
            ),
            (
                "source: {endpoint: 'u:hunter2@h'}",
                "shake.yaml:1: 'source.endpoint' expects a URL, such as http://localhost:8000, found another text"
            ),
            (
                "source: {endpoint: localhost}",
                "shake.yaml:1: 'source.endpoint' expects a URL, such as http://localhost:8000, found 'localhost'"
            ),
        ])
    func wrong(text: String, message: String) {
        #expect(self.message(of: text) == message)
    }

    @Test(
        "Tables are a list of names",
        arguments: ["tables: orders", "tables: []", "tables:", "tables: [[a]]", "tables: ['a,b']"])
    func tables(text: String) throws {
        let problem = try #require(message(of: text))
        #expect(problem.hasPrefix("shake.yaml:1: 'tables' expects a list of table names"))
    }

    @Test(
        "What is no YAML is an error with its line, and a key said twice too",
        arguments: [
            ("a: [1", "shake.yaml:"), ("journal: a\njournal: b", "shake.yaml:"), ("- a", "shake.yaml:1: expected keys"),
            ("just text", "shake.yaml:1: expected keys"), ("a: b: c", "shake.yaml:1: this is not YAML"),
            (
                "journal: j\ntarget: null:",
                "shake.yaml:2: this is not YAML: mapping values are not allowed in this context; a value"
            ),
        ])
    func syntax(text: String, start: String) throws {
        let problem = try #require(message(of: text))
        #expect(problem.hasPrefix(start), "\(problem)")
    }
}
