import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("A dead letter that waits")
struct WaitingLetterTests {
    private func letter(_ number: String?, of shard: ShardKey?, cause: String = "no \"key\"") -> WaitingLetter {
        WaitingLetter(
            table: TableName("orders"), shard: shard, revision: nil, position: Position(7), time: Sample.now,
            refused: RecordRefused(
                sequenceNumber: number.map(Sample.number), code: "TargetUnwritable", cause: cause, offset: 0, bytes: 9))
    }

    private func line(
        table: String = "orders", shard: String = "a", number: String = "42", cause: String = "no \\\"key\\\""
    )
        -> [UInt8]
    {
        Array(
            """
            {"refused":"2026-11-23T16:00:00Z","target":"t","cause":"\(cause)","table":"\(table)","stream":"\(Sample.stream)",\
            "shard":"\(shard)","sequence_number":"\(number)","epoch":0,"event":"INSERT","approximate_time":null,"keys":{},\
            "new_image":null,"old_image":null}
            """.utf8)
    }

    @Test("Its line is the one of its table, shard, sequence number and cause")
    func kept() {
        let letter = letter("42", of: Sample.key("a"))
        #expect(letter.isKept(in: line()))
        #expect(!letter.isKept(in: line(table: "users")))
        #expect(!letter.isKept(in: line(shard: "b")))
        #expect(!letter.isKept(in: line(number: "43")))
        #expect(!letter.isKept(in: line(cause: "x")))
    }

    @Test("What is no such line is none", arguments: ["", "[]", "{}", "{\"table\":\"orders\"}", "rders\"}"])
    func other(text: String) {
        #expect(!letter("42", of: Sample.key("a")).isKept(in: Array(text.utf8)))
        #expect(!letter("42", of: Sample.key("a")).isKept(in: [0xff, 0xfe] + line()))
    }

    @Test("An item of a full sync has neither shard nor number")
    func item() {
        let text = """
            {"cause":"c","table":"orders","stream":null,"shard":null,"sequence_number":null,"epoch":null,"keys":{}}
            """
        #expect(letter(nil, of: nil, cause: "c").isKept(in: Array(text.utf8)))
        #expect(!letter(nil, of: nil, cause: "c").isKept(in: line(cause: "c")))
    }
}
