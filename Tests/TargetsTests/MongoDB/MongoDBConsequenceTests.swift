import MongoC
import Targets
import Testing

@testable import MongoDBTarget

@Suite("What MongoDB's error codes say")
struct MongoDBConsequenceTests {
    private static func of(_ code: Int32?, _ labels: Set<String> = []) -> Consequence {
        Consequence(MongoError(code: code, message: "m", labels: labels))
    }

    @Test(
        "is tried again where it may pass",
        arguments: [
            nil, 6, 7, 89, 9001, 91, 189, 262, 10107, 13435, 11600, 11602, 24, 50, 64, 112, 133, 251, 290, 14031,
        ])
    func retried(code: Int32?) { #expect(Self.of(code) == .retry) }

    @Test(
        "is tried again where a label says so, whatever the number",
        arguments: ["TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError"])
    func labelled(label: String) { #expect(Self.of(99999, [label]) == .retry) }

    @Test("refuses a record where it is the record's own", arguments: [2, 121, 15, 56, 57, 10334, 17280, 17419, 11000])
    func refused(code: Int32) { #expect(Consequence(ofWrite: MongoError(code: code, message: "m")) == .refuseRecord) }

    @Test("takes no record for what is refused by a number that nobody knows", arguments: [nil, 1, 8, 235, 54321])
    func unknown(code: Int32?) { #expect(Consequence(ofWrite: MongoError(code: code, message: "m")) == .retry) }

    @Test(
        "stops where an operator must act, with what to do, also where nobody has thought of it",
        arguments: [13, 18, 20, 26, 61, 66, 73, 85, 86, 166, 263, 8000, 99999, -1, -2])
    func stopped(code: Int32) {
        guard case .stop(let advice) = Self.of(code) else {
            Issue.record("\(code) does not stop")
            return
        }
        #expect(advice.count > 20)
    }

    @Test("stops where a whole command is refused for what it says; a key that is taken may be free the next time")
    func refusedCommand() {
        func of(_ code: Int32) -> TargetError {
            TargetError(MongoError(code: code, message: "m"), target: "mongodb://h/d", during: "preparing")
        }
        for code: Int32 in [2, 9, 14, 121, 10334, 17419] {
            #expect(!of(code).isRetryable, "\(code)")
            #expect(of(code).description.contains("won't take this however often it is asked"), "\(of(code))")
        }
        #expect(of(11000).isRetryable)
    }

    @Test("says nothing of what is in a document")
    func discreet() {
        let error = MongoError(code: 11000, message: #"E11000 … index: _id_ dup key: { _id: "private" }"#)
        #expect(error.description == "E11000 … index: _id_ (code 11000)")
        #expect(MongoError(code: 2, message: String(repeating: "x", count: 1000)).message.count == 601)
    }

    @Test("says what a deployment can do")
    func deployments() throws {
        func deployment(_ hello: String) throws -> Deployment { Deployment(hello: try Document(extendedJSON: hello)) }
        let sessions = #""logicalSessionTimeoutMinutes":30"#
        #expect(try deployment(#"{"setName":"a","maxWireVersion":8,\#(sessions)}"#).hasTransactions)
        #expect(try deployment(#"{"msg":"isdbgrid","maxWireVersion":17,\#(sessions)}"#).hasTransactions)
        #expect(try !deployment(#"{"setName":"a","maxWireVersion":7,\#(sessions)}"#).hasTransactions)
        #expect(try !deployment(#"{"setName":"a","maxWireVersion":17}"#).hasTransactions)
        #expect(try !deployment(#"{"maxWireVersion":17,\#(sessions)}"#).hasTransactions)
        #expect(try deployment(#"{"setName":"a","maxWireVersion":8}"#).longestName == 120)
    }
}
