import DynamoDB
import Journal
import StreamModel
import Targets
import Testing

@testable import shakectl

@Suite("Errors and exit codes")
struct ShakectlErrorTests {
    @Test("Each error has its code of DESIGN 6")
    func codes() {
        #expect(ShakectlError.usage("").exitCode == 64)
        #expect(ShakectlError.configuration("").exitCode == 78)
        #expect(ShakectlError.output(reason: "").exitCode == 74)
        #expect(ShakectlError.outputClosed.exitCode == 0)
        #expect(ShakectlError.trimmed(shard: Sample.key("a"), at: nil).exitCode == 69)
        #expect(
            ShakectlError.journal(.conflict(shard: Sample.key("a"), expected: .none, found: .none)).exitCode == 75)
        #expect(ShakectlError.target(.unavailable(target: "t", reason: "")).exitCode == 69)
        #expect(ShakectlError.target(.unwritable(target: "t", what: "", reason: "")).exitCode == 65)
        #expect(ShakectlError.target(.misconfigured(target: "t", reason: "")).exitCode == 78)
    }

    @Test("A place that the stream has trimmed is named, with what is possible")
    func trimmed() {
        let text = ShakectlError.trimmed(shard: Sample.key("a"), at: Sample.number("42")).description
        #expect(text.hasPrefix("shard orders/a: the stream no longer holds the records from 42 on"))
        #expect(text.contains("shakectl history orders/a"))
    }

    @Test("A source that can't be asked names --offline, and keeps its own exit code")
    func notAsked() {
        let unreachable = DynamoDBError.unreachable(endpoint: "http://l:9", operation: "GetShardIterator", reason: "r")
        let error = ShakectlError.sourceNotAsked(shard: Sample.key("a"), unreachable)
        #expect(error.exitCode == 69)
        #expect(error.description.hasPrefix("shard orders/a was not rewound"))
        #expect(error.description.contains("--offline"))
        #expect(ShakectlError.sourceNotAsked(shard: Sample.key("a"), .credentials("none")).exitCode == 78)
    }
}
