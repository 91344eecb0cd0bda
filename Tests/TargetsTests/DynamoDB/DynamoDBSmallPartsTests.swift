import DynamoDB
import StreamModel
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("Small parts of the DynamoDB target")
struct DynamoDBSmallPartsTests {
    private static func error(_ code: String, _ message: String = "", status: Int = 400) -> DynamoDBError {
        .service(
            code: code, message: message, status: status, operation: "BatchWriteItem", object: "table people",
            requestID: nil)
    }

    @Test(
        "Each error is one of: slower, again, a record's own, an operator's",
        arguments: [
            ("ProvisionedThroughputExceededException", 400, "slower"), ("ThrottlingException", 400, "slower"),
            ("RequestLimitExceeded", 400, "slower"), ("TransactionInProgressException", 400, "slower"),
            ("TransactionConflictException", 400, "slower"), ("TransactionCanceledException", 400, "slower"),
            ("InternalServerError", 500, "retry"), ("503", 503, "retry"),
            ("ReplicatedWriteConflictException", 400, "retry"),
            ("ValidationException", 400, "refuse"), ("ItemCollectionSizeLimitExceededException", 400, "refuse"),
            ("413", 413, "refuse"), ("AccessDeniedException", 400, "stop"), ("ResourceNotFoundException", 400, "stop"),
            ("UnrecognizedClientException", 400, "stop"), ("InvalidSignatureException", 400, "stop"),
            ("UnknownOperationException", 400, "stop"), ("SomethingNew", 400, "stop"),
        ])
    func consequences(code: String, status: Int, expected: String) {
        let found =
            switch Consequence(Self.error(code, status: status)) {
            case .slower: "slower"
            case .retry: "retry"
            case .refuseRecord: "refuse"
            case .stop: "stop"
            }
        #expect(found == expected)
    }

    @Test("A connection that breaks is tried again; credentials that are missing end it")
    func beside() {
        #expect(Consequence(.unreachable(endpoint: "e", operation: "o", reason: "r")) == .retry)
        #expect(Consequence(.badReply(operation: "o", object: "o", why: "w")) == .retry)
        if case .stop = Consequence(.credentials("none")) {
        } else {
            Issue.record("credentials don't come by themselves")
        }
    }

    @Test("A cancelled transaction says which of its writes was in the way")
    func reasons() {
        let text =
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, TransactionConflict]"
        #expect(
            Self.error("TransactionCanceledException", text).cancellationReasons == ["None", "TransactionConflict"])
        #expect(Self.error("TransactionCanceledException").cancellationReasons == nil)
        #expect(Self.error("ValidationException", text).cancellationReasons == nil)
    }

    @Test(
        "Replication attributes go, and every other byte stays",
        arguments: [
            (
                #"{"id":{"S":"a"},"aws:rep:updatetime":{"N":"1"},"n" : {"M":{"aws:rep:deleting":{"BOOL":false}}}}"#,
                #"{"id":{"S":"a"},"n" : {"M":{"aws:rep:deleting":{"BOOL":false}}}}"#
            ),
            (#"{ "aws:rep:deleting":{"BOOL":false}, "id":{"S":"},{\"x"} }"#, #"{"id":{"S":"},{\"x"}}"#),
            (#"{"id":{"S":"a"},"\u0061ws:rep:x":{"S":"y"}}"#, #"{"id":{"S":"a"}}"#),
            (#"{"id":{"S":"a"},"aws:repeat":{"S":"y"}}"#, nil),
            (#"{"id":{"S":"aws:rep:x"}}"#, nil),
        ] as [(String, String?)])
    func stripped(item: String, left: String?) {
        let body = Array("[\(item)]".utf8)
        let place = ByteRange(offset: 1, count: UInt32(item.utf8.count))
        #expect(ReplicationAttributes.stripped(place, of: body).map { String(decoding: $0, as: UTF8.self) } == left)
    }

    // MARK: Loops

    private static func identity(
        _ table: String, endpoint: String = "https://a", region: String = "eu-west-1", id: String? = nil,
        created: Int64? = nil
    ) -> Loops.Identity {
        Loops.Identity(
            table: TableName(table), endpoint: endpoint, region: region, id: id,
            created: created.map { Timestamp(microseconds: $0) })
    }

    @Test("A table is itself by its id, wherever it is reached; without one by endpoint, region and name")
    func identities() {
        #expect(Self.identity("a", id: "1").isSame(as: Self.identity("a", endpoint: "https://b", id: "1")))
        #expect(!Self.identity("a", id: "1").isSame(as: Self.identity("a", id: "2")), "another account's")
        #expect(Self.identity("a").isSame(as: Self.identity("a", id: "2")))
        #expect(!Self.identity("a").isSame(as: Self.identity("a", region: "eu-west-2")))
        #expect(!Self.identity("a").isSame(as: Self.identity("b")))
    }

    @Test("Where neither has an id, a table of one name that was made at one time is the same by any endpoint")
    func created() {
        let one = Self.identity("a", created: 1)
        #expect(one.isSame(as: Self.identity("a", endpoint: "https://b", created: 1)))
        #expect(!one.isSame(as: Self.identity("a", endpoint: "https://b", created: 2)))
        #expect(!one.isSame(as: Self.identity("b", endpoint: "https://b", created: 1)))
        #expect(!one.isSame(as: Self.identity("a", endpoint: "https://b", id: "1", created: 1)))
        #expect(one.isSame(as: Self.identity("a", created: 2)), "some endpoints say the current time")
        #expect(!Self.identity("a").isSame(as: Self.identity("a", endpoint: "https://b")), "nothing is said of either")
    }

    @Test("A table that goes to itself, to one that is followed, or is gone to, closes a loop; two that part do not")
    func loops() {
        var loops = Loops()
        #expect(loops.connect(Self.identity("a"), to: Self.identity("a")) == TableName("a"))
        #expect(loops.connect(Self.identity("a"), to: Self.identity("b")) == nil)
        #expect(loops.connect(Self.identity("a"), to: Self.identity("b")) == nil, "prepared again")
        #expect(loops.connect(Self.identity("b"), to: Self.identity("c")) == TableName("b"))
        #expect(loops.connect(Self.identity("c"), to: Self.identity("a")) == TableName("a"))
        #expect(loops.connect(Self.identity("c"), to: Self.identity("d")) == nil)
    }
}
