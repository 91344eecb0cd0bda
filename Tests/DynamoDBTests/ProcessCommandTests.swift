import Foundation
import StreamModel
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
        _ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"]
    ) async throws -> Credentials? {
        let command = try #require(ProcessCommand("sh -c '\(script)' hushhush"))
        let provider = ProcessCredentials(
            command: command, profile: "p", environment: environment, surroundings: Surroundings())
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

    @Test("Cancelling ends it at once")
    func cancelled() async throws {
        let task = Task { try await Self.found("exec sleep 600") }
        task.cancel()
        await #expect(throws: DynamoDBError.cancelled) { try await task.value }
    }
}
