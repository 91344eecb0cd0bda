import Testing

@testable import DynamoDB

/// Source: botocore's parser (parsers.py, BaseJSONParser); Developer Guide, "Programming.Errors".
@Suite("Replies that say no")
struct ErrorReplyTests {
    @Test(
        "Code and message are found in every form that occurs",
        arguments: [
            (
                #"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"m"}"#,
                "ResourceNotFoundException", "m"
            ),
            (
                #"{"__type":"com.amazon.coral.service#UnrecognizedClientException","Message":"m"}"#,
                "UnrecognizedClientException", "m"
            ),
            (
                #"{"__type":"ThrottlingException:http://internal.amazon.com/coral/","message":"m"}"#,
                "ThrottlingException", "m"
            ),
            (#"{"__type":"a#b#TrimmedDataAccessException"}"#, "TrimmedDataAccessException", ""),
            (#"{"code":"SlowDown","message":null}"#, "SlowDown", ""),
            (#"{"message":"only words"}"#, "418", "only words"),
            (#"{"__type":7,"message":{"a":1}}"#, "418", ""),
            ("{}", "418", ""),
            ("[1]", "418", "[1]"),
            ("", "418", ""),
            ("<html>\n  <h1>Bad   gateway</h1>", "418", "<html> <h1>Bad gateway</h1>"),
            ("{\"__type\":\"cut off", "418", "{\"__type\":\"cut off"),
        ])
    func forms(body: String, code: String, message: String) {
        let reply = ErrorReply(status: 418, body: Array(body.utf8))
        #expect(reply.code == code)
        #expect(reply.message == message)
    }

    @Test("Bytes that are no text do no harm, and a long body is cut")
    func garbage() {
        #expect(ErrorReply(status: 502, body: [0xFF, 0xFE, 0x00, 0x80]).code == "502")
        #expect(
            ErrorReply(status: 502, body: Array("a\u{1B}[31mb\u{7}".utf8)).message == "a [31mb",
            "nothing for a terminal")
        #expect(ErrorReply(status: 502, body: Array(repeating: 0x61, count: 10_000)).message.utf8.count < 300)
    }

    @Test(
        "Each code has its class",
        arguments: [
            ("ProvisionedThroughputExceededException", 400, ErrorClass.throttled),
            ("ThrottlingException", 400, .throttled),
            ("LimitExceededException", 400, .throttled), ("RequestLimitExceeded", 400, .throttled),
            ("429", 429, .throttled),
            ("InternalServerError", 500, .transient), ("500", 500, .transient), ("502", 502, .transient),
            ("503", 503, .transient), ("504", 504, .transient), ("SomethingNew", 500, .transient),
            ("UnrecognizedClientException", 400, .credentials), ("ExpiredTokenException", 400, .credentials),
            ("ExpiredIteratorException", 400, .expiredIterator), ("TrimmedDataAccessException", 400, .trimmed),
            ("ResourceNotFoundException", 400, .notFound), ("AccessDeniedException", 400, .denied),
            ("ResourceInUseException", 400, .inUse),
            ("400", 400, .transient), ("ValidationException", 400, .permanent),
            ("MissingAuthenticationTokenException", 400, .permanent),
            ("SomethingNew", 400, .permanent), ("403", 403, .permanent), ("501", 501, .permanent),
        ])
    func classes(code: String, status: Int, expected: ErrorClass) {
        #expect(ErrorClass(code: code, message: "", status: status) == expected)
    }

    @Test("A stream that is enabled already is told from a request that is wrong")
    func enabledAlready() {
        func errorClass(_ message: String) -> ErrorClass {
            ErrorClass(code: "ValidationException", message: message, status: 400)
        }
        #expect(errorClass("Table already has an enabled stream: TableName: orders") == .inUse)
        #expect(errorClass("Invalid StreamSpecification: the view type is none") == .permanent)
    }

    @Test("A signature that is late or early is the clock's fault; one that doesn't match is the key's")
    func signatures() {
        func errorClass(_ message: String) -> ErrorClass {
            ErrorClass(code: "InvalidSignatureException", message: message, status: 400)
        }
        #expect(errorClass("Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z") == .clockSkewed)
        #expect(
            errorClass("Signature not yet current: 20260101T001000Z is still later than 20260101T000500Z")
                == .clockSkewed)
        #expect(
            errorClass("The request signature we calculated does not match the signature you provided.") == .credentials
        )
    }

    @Test("An error says what happened, to what, and what to do")
    func texts() {
        func error(_ code: String, _ status: Int = 400) -> DynamoDBError {
            .service(
                code: code, message: "m", status: status, operation: "GetRecords", object: "shard t/s", requestID: "R1")
        }
        #expect(
            error("AccessDeniedException").description
                == "GetRecords of shard t/s: AccessDeniedException (HTTP 400, request R1): m; allow dynamodb:GetRecords on it to these credentials"
        )
        #expect(error("AccessDeniedException").exitCode == 77)
        #expect(error("ResourceNotFoundException").isNotFound)
        #expect(error("TrimmedDataAccessException").isTrimmed)
        #expect(error("ExpiredIteratorException").isExpiredIterator)
        #expect(error("ThrottlingException").isThrottle && error("ThrottlingException").isRetryable)
        #expect(!error("ValidationException").isRetryable)
        #expect(error("InternalServerError", 500).exitCode == 69)
        let unreachable = DynamoDBError.unreachable(endpoint: "http://h:1/", operation: "ListTables", reason: "refused")
        #expect(unreachable.description.contains("ListTables: no answer from http://h:1/: refused"))
        #expect(unreachable.exitCode == 69 && unreachable.isRetryable)
    }
}
