import StreamModel
import Testing

@testable import DynamoDB
@testable import Simdjson

@Suite("The next iterator, found without parsing")
struct IteratorHintTests {
    private static func find(_ text: String) -> String? { IteratorHint.find(in: Array(text.utf8))?.token }

    @Test("It is found before and behind the records, with or without a space")
    func found() {
        let records = String(repeating: #"{"a":"b"},"#, count: 2000)
        #expect(Self.find(#"{"NextShardIterator":"abc|/+=","Records":[]}"#) == "abc|/+=")
        #expect(Self.find(#"{"Records":[\#(records)null],"NextShardIterator":"abc"}"#) == "abc")
        #expect(Self.find(#"{"NextShardIterator": "abc", "Records": [\#(records)null]}"#) == "abc")
        #expect(
            Self.find(#"{"NextShardIterator":"\#(String(repeating: "x", count: 2048))","Records":[]}"#)?.count == 2048)
    }

    @Test(
        "Whatever is unusual is nothing",
        arguments: [
            "", "{}", #"{"Records":[]}"#, #"{"NextShardIterator":null}"#, #"{"NextShardIterator":""}"#,
            #"{"NextShardIterator":"a\/b"}"#, #"{"NextShardIterator":"cut"#, #"{"NextShardIterator":"#,
            #"{"NextShardIterator":7}"#, #"{"NextShardIterator":"a" :1}"#, #"{"NextShardIterator":"ü"}"#,
            #"{"x":"\"NextShardIterator\":\"no\""}"#,
            "{\"NextShardIterator\":\"\(String(repeating: "x", count: 2049))\"}",
        ])
    func unusual(text: String) { #expect(Self.find(text) == nil) }

    @Test("An attribute of that name, and text that looks like it, are passed over")
    func lookalikes() throws {
        for next in [#""token""#, "null"] {
            let text = Reply(
                records: [
                    Reply.record(
                        image: #"{"pk":{"S":"\"NextShardIterator\":\"forged\","},"NextShardIterator":{"S":"no"}}"#)
                ], next: next
            ).text
            let parsed = try Replies.records(in: Array(text.utf8)).next
            #expect(parsed?.token == (next == "null" ? nil : "token"))
            #expect(IteratorHint.find(in: Array(text.utf8)) == parsed)
        }
    }
}
