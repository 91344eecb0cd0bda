import Foundation
import StreamModel
import TestSupport
import Testing

@testable import DynamoDB

@Suite("A credential_process")
struct ProcessCommandTests {
    @Test("Its words are told apart as botocore does")
    func words() throws {
        let texts = [
            "/usr/bin/x", " x  a\tb ", #"x "a b" 'c d'"#, #"x a\ b "q\"r" "s\t" 't\'"#, #"x "" ''"#, #"x a"b c"d'e'"#,
            #"x \\ \""#,
            #"x "a\\b""#, "x é=ü",
        ]
        let theirs: [[String]] = try Botocore.run(
            """
            import json, sys
            from botocore.compat import compat_shell_split
            json.dump([compat_shell_split(text) for text in json.load(sys.stdin)], sys.stdout)
            """, texts)
        for (text, theirs) in zip(texts, theirs) {
            #expect(ProcessCommand(text).map { [$0.program] + $0.arguments } == theirs, "\(text)")
        }
        for text in ["", "  ", "x \"open", "x 'open", "x \\"] { #expect(ProcessCommand(text) == nil, "\(text)") }
    }

    private static func found(
        _ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        surroundings: Surroundings = Surroundings()
    ) async throws -> Credentials? {
        let command = try #require(ProcessCommand("sh -c '\(script)' hushhush"))
        let provider = ProcessCredentials(
            command: command, profile: "p", environment: environment, surroundings: surroundings)
        guard case .found(let credentials) = try await provider.credentials(refreshing: false) else { return nil }
        return credentials
    }

    @Test("What it prints is used, with or without an end")
    func prints() async throws {
        let document =
            #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2030-01-02T03:04:05Z"}"#
        #expect(
            try await Self.found("cat <<E\n\(document)\nE\n")
                == Credentials(
                    accessKeyID: "A", secretAccessKey: "S", sessionToken: "T",
                    expiration: Timestamp("2030-01-02T03:04:05Z")))
        #expect(
            try await Self.found(
                "printf %s \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"A\\\",\\\"SecretAccessKey\\\":\\\"S\\\"}\"")
                == Credentials(accessKeyID: "A", secretAccessKey: "S"))
    }

    @Test(
        "What it does wrong is said, without what it wrote or was given",
        arguments: [
            ("echo hushhush >&2; exit 3", "ended with 3"), ("echo hushhush", "printed no JSON object"),
            ("echo {}", "another \"Version\""), ("echo {\\\"Version\\\":1}", "printed no AccessKeyId"),
            ("yes hushhush", "ended with"), ("kill -9 $$", "ended with 9"),
        ])
    func wrong(script: String, text: String) async throws {
        let error = await #expect(throws: DynamoDBError.self) { try await Self.found(script) }
        #expect(
            error.map { "\($0)".contains(text) && !"\($0)".contains("hush") } == true, "\(String(describing: error))")
        let missing = try #require(ProcessCommand("no-such-program hushhush"))
        let provider = ProcessCredentials(
            command: missing, profile: "p", environment: [:], surroundings: Surroundings())
        let absent = await #expect(throws: DynamoDBError.self) { try await provider.credentials(refreshing: false) }
        #expect(absent.map { "\($0)".contains("no such program in PATH") } == true)
    }

    /// Writes the number of `sleep` to a file; what comes before it, and how it goes on.
    private static func leavingBehind(_ script: String) async throws -> (DynamoDBError?, Credentials?, child: pid_t) {
        let files = try AWSFiles()
        let path = files.path("number")
        // A minute is over once the number is there.
        let surroundings = Surroundings(clock: EventClock { while Self.number(in: path) == nil { usleep(1000) } })
        var (failure, found): (DynamoDBError?, Credentials?)
        do {
            found = try await Self.found(script.replacing("NUMBER", with: path), surroundings: surroundings)
        } catch { failure = error as? DynamoDBError }
        return (failure, found, try #require(Self.number(in: path)))
    }

    private static func number(in path: String) -> pid_t? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasSuffix("\n") else { return nil }
        return pid_t(text.dropLast())
    }

    /// One that nobody has taken leave of is over, too.
    private static func isOver(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return text.contains(") Z ")
    }

    @Test(
        "One that hangs, or whose child holds its output, is ended with its whole group after a minute, and that is said",
        arguments: [
            ("sleep 600 & echo $! >NUMBER; wait", "took longer than a minute, and was ended with all"),
            (
                "sleep 600 & echo $! >NUMBER; exit 3",
                "ended with 3, but something that it has started held its standard output open for a minute, and was ended"
            ),
        ])
    func leftBehind(script: String, text: String) async throws {
        let (error, _, child) = try await Self.leavingBehind(script)
        #expect(error.map { "\($0)".contains(text) } == true, "\(String(describing: error))")
        while !Self.isOver(child) { await Task.yield() }
    }

    @Test("What it leaves behind with an output of its own is its own affair")
    func agent() async throws {
        let document = "{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"A\\\",\\\"SecretAccessKey\\\":\\\"S\\\"}"
        let files = try AWSFiles()
        let path = files.path("number")
        let found = try await Self.found("sleep 600 >/dev/null & echo $! >\(path); printf %s \"\(document)\"")
        #expect(found?.accessKeyID == "A")
        let child = try #require(Self.number(in: path))
        #expect(!Self.isOver(child))
        kill(child, SIGKILL)
    }

    @Test("Where whoever has started us ignores how its children end, its end is known all the same")
    func ignoredEnds() async {
        await #expect(processExitsWith: .success) {
            signal(SIGCHLD, SIG_IGN)
            let document = "{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"A\\\",\\\"SecretAccessKey\\\":\\\"S\\\"}"
            let found = try await ProcessCommandTests.found("printf %s \"\(document)\"")
            precondition(found?.accessKeyID == "A")
        }
    }

    @Test("A group whose number may be another's by now is left alone")
    func nobodys() async throws {
        let files = try AWSFiles()
        let (number, over) = (files.path("number"), files.path("over"))
        let child = try ChildProcess(
            "/bin/sh",
            ["-c", "sh -c 'trap \"echo >\(over); exit\" TERM; echo $$ >\(number); while :; do sleep 0.01; done' &"],
            environment: ["PATH": "/usr/bin:/bin"])
        defer { close(child.output) }
        var status: Int32 = 0
        #expect(unsafe waitpid(child.id, &status, 0) == child.id)
        while Self.number(in: number) == nil { await Task.yield() }
        let left = try #require(Self.number(in: number))
        child.endGroup()
        kill(left, SIGTERM)
        while !Self.isOver(left) { await Task.yield() }
        #expect(FileManager.default.fileExists(atPath: over), "it was killed before it could say so")
    }

    @Test("Cancelling ends it at once")
    func cancelled() async throws {
        let task = Task { try await Self.found("exec sleep 600") }
        task.cancel()
        await #expect(throws: DynamoDBError.cancelled) { try await task.value }
    }

    /// A clock on which each wait is over when something has happened.
    private final class EventClock: Clock {
        private let happening: @Sendable () -> Void

        init(_ happening: @escaping @Sendable () -> Void) { self.happening = happening }

        var now: HastyClock.Instant { HastyClock.Instant() }
        var minimumResolution: Duration { .microseconds(1) }

        func sleep(until deadline: HastyClock.Instant, tolerance: Duration?) async throws { happening() }
    }
}
