import StreamModel
import Testing

@testable import Simdjson

/// Sources: API Reference (Streams), GetRecords; API Reference, Scan.
@Suite("Reading replies")
struct RepliesTests {
    private static func read(_ text: String) throws -> RecordsReply { try Replies.records(in: Sample.body(text)) }

    private static func text(_ range: ByteRange?, of text: String) -> String? {
        range.map { String(decoding: Array(text.utf8)[$0.range], as: UTF8.self) }
    }

    @Test("A record is read to places in the body")
    func record() throws {
        let image = #"{"pk":{"S":"a"},"n":{"N":"1.50E+3"},"é\u00e9":{"L":[{"M":{"x":{"NULL":true}}}]}}"#
        let reply = Reply(records: [Reply.record(event: "MODIFY", image: image)]).text
        let page = try Self.read(reply)
        let change = try #require(page.changes.first)
        #expect(page.changes.count == 1)
        #expect(change.kind == .modify)
        #expect(change.sequenceNumber?.text == "20500000000000000910398")
        #expect(change.approximateTime == Timestamp(seconds: 1_464_806_460))
        #expect(Self.text(change.keys, of: reply) == #"{"pk":{"S":"a"}}"#)
        #expect(Self.text(change.newImage, of: reply) == image)
        #expect(change.oldImage == nil)
        #expect(page.next == ShardIterator("AAAA"))
    }

    @Test("Members may come in any order, on every level")
    func order() throws {
        let expected = try Self.read(Reply().text).changes[0]
        let image = #"{"pk":{"S":"a"}}"#
        let number = "20500000000000000910398"
        let streams = permutations(Reply.streamMembers(number: number, image: image)).map {
            #""dynamodb":{\#($0.joined(separator: ","))}"#
        }
        let others = Array(Reply.members(number: number, event: "INSERT", image: image).dropLast())
        let records =
            streams.map { "{\((others + [$0]).joined(separator: ","))}" }
            + permutations(others + [streams[0]]).map { "{\($0.joined(separator: ","))}" }
        for record in records {
            let text = #"{"NextShardIterator":"AAAA","Records":[\#(record)]}"#
            let page = try Self.read(text)
            let change = try #require(page.changes.first)
            #expect(change.kind == expected.kind && change.sequenceNumber == expected.sequenceNumber)
            #expect(change.approximateTime == expected.approximateTime)
            #expect(Self.text(change.keys, of: text) == image && Self.text(change.newImage, of: text) == image)
            #expect(page.next == ShardIterator("AAAA"))
        }
    }

    @Test("White space between all tokens changes nothing but places")
    func whiteSpace() throws {
        let compact = Reply(records: [Reply.record(), Reply.record(number: "20500000000000000910399", event: "REMOVE")])
            .text
        var spaced = ""
        var inString = false
        for character in compact {
            if character == "\"" { inString.toggle() }
            spaced +=
                inString || character == "\"" || character.isNumber || character.isLetter || character == "."
                ? String(character) : " \n\(character)\t\r "
        }
        let (a, b) = (try Self.read(compact), try Self.read(spaced))
        #expect(a.changes.map(\.sequenceNumber) == b.changes.map(\.sequenceNumber))
        #expect(a.changes.map(\.kind) == b.changes.map(\.kind))
        #expect(a.next == b.next)
        for change in b.changes {
            let keys = try #require(Self.text(change.keys, of: spaced))
            #expect(keys.first == "{" && keys.last == "}")
        }
    }

    @Test("Member names with escapes in them are the names that they stand for")
    func escapedNames() throws {
        let text = Reply().text.replacing("\"Records\"", with: #""\u0052ecor\u0064s""#)
            .replacing("\"SequenceNumber\"", with: #""Sequence\u004eumber""#).replacing(
                "\"Keys\"", with: #""\u004Beys""#)
        let page = try Self.read(text)
        #expect(page.changes.first?.sequenceNumber?.text == "20500000000000000910398")
        #expect(Self.text(page.changes.first?.keys, of: text) == #"{"pk":{"S":"a"}}"#)
    }

    @Test("An item's names and strings are passed over, however much they look like the reply's own")
    func lookalikes() throws {
        let image =
            #"{"SequenceNumber":{"S":"1"},"Records":{"L":[]},"NextShardIterator":{"S":"x"},"q":{"S":"]}\"}{\\"},"ü":{"S":"\u007d"}}"#
        let text = Reply(records: [Reply.record(image: image), Reply.record(number: "20500000000000000910399")]).text
        let page = try Self.read(text)
        #expect(page.changes.map { $0.sequenceNumber?.text } == ["20500000000000000910398", "20500000000000000910399"])
        #expect(Self.text(page.changes[0].newImage, of: text) == image)
        #expect(page.next == ShardIterator("AAAA"))
    }

    @Test("Null, absent and empty images are no images; other members may be null or missing")
    func missingMembers() throws {
        for image in ["null", "{}", "{ \n }"] {
            #expect(
                try Self.read(Reply(records: [Reply.record(event: "REMOVE", image: image)]).text).changes[0].newImage
                    == nil)
        }
        let bare =
            #"{"Records":[{"eventName":"REMOVE","userIdentity":null,"dynamodb":{"Keys":{"a":{"N":"1"}},"OldImage":null,"ApproximateCreationDateTime":null,"SequenceNumber":"1"}}]}"#
        let change = try Self.read(bare).changes[0]
        #expect(
            change.kind == .remove && change.approximateTime == nil && change.oldImage == nil && change.newImage == nil)
    }

    @Test(
        "The time may have a fraction or an exponent; nonsense is no time",
        arguments: [
            ("1464806460", 1_464_806_460), ("1.46480646E9", 1_464_806_460), ("1464806460.25", 1_464_806_460.25),
            ("0", 0),
            ("-1.5", -1.5), ("1e300", nil), ("123456789012345678901234567890", nil),
        ])
    func time(text: String, seconds: Double?) throws {
        let reply = Reply().text.replacing("1.46480646E9", with: text)
        #expect(try Self.read(reply).changes[0].approximateTime == seconds.map { Timestamp(seconds: $0) })
    }

    @Test("Sequence numbers of 1 to 40 digits keep every digit", arguments: [1, 15, 16, 17, 21, 25, 32, 33, 39, 40])
    func sequenceNumbers(digits: Int) throws {
        let number = String((0..<digits).map { Character(String(($0 * 7 + 1) % 10)) })
        #expect(
            try Self.read(Reply(records: [Reply.record(number: number)]).text).changes[0].sequenceNumber?.text == number
        )
    }

    @Test("An empty page is one, with or without a next iterator; the member is null or absent at a shard's end")
    func ends() throws {
        #expect(try Self.read(#"{"Records":[],"NextShardIterator":"n"}"#).next == ShardIterator("n"))
        #expect(try Self.read(#"{"NextShardIterator":"n"}"#).changes.isEmpty)
        for end in [
            #"{"Records":[]}"#, #"{"Records":[],"NextShardIterator":null}"#,
            #"{"NextShardIterator":null,"Records":[ ]}"#,
        ] {
            let page = try Self.read(end)
            #expect(page.changes.isEmpty && page.next == nil)
        }
        let last = try Self.read(Reply(next: nil).text)
        #expect(last.changes.count == 1 && last.next == nil)
    }

    @Test("An iterator's escapes are undone")
    func escapedIterator() throws {
        #expect(try Self.read(#"{"Records":[],"NextShardIterator":"a\/b\u003d\"x"}"#).next == ShardIterator("a/b=\"x"))
    }

    @Test(
        "What isn't such a reply is an error, above all where it would else mean the end of a shard",
        arguments: [
            "", " ", "{}", "null", "[]", "\"Records\"", "7", "{\"Records\"}", "<html></html>", "{\"Records\":{}}",
            #"{"Records":7,"NextShardIterator":"n"}"#, #"{"message":"x"}"#, #"{"Records":[7]}"#, #"{"Records":["a"]}"#,
            #"{"Records":[null]}"#, #"{"Records":[],"NextShardIterator":7}"#, #"{"Records":[]} {}"#,
            #"{"Records":[]}}"#,
            #"{"Records":[]"#, #"{"Records":[}"#, #"{"Records":[],}"#, #"{"Records":null}"#,
            #"{"Records":[],"NextShardIterator":nul}"#,
            "{\"Records\":[],\"NextShardIterator\":\"\u{0}\"}", "\u{0}",
        ])
    func notAReply(text: String) { #expect(throws: SimdjsonError.self) { try Self.read(text) } }

    @Test("A record without what it needs is named, and what it lacks")
    func incomplete() throws {
        let good = Reply.record()
        func error(_ bad: String) throws -> SimdjsonError {
            try #require(throws: SimdjsonError.self) { try Self.read(Reply(records: [good, good, bad]).text) }
        }
        #expect(
            try error(good.replacing("\"SequenceNumber\"", with: "\"Other\""))
                == .incomplete(element: 2, member: "SequenceNumber"))
        #expect(try error(good.replacing("\"Keys\"", with: "\"Other\"")) == .incomplete(element: 2, member: "Keys"))
        #expect(
            try error(good.replacing(#""Keys":{"pk":{"S":"a"}}"#, with: #""Keys":{}"#))
                == .incomplete(element: 2, member: "Keys"))
        #expect(
            try error(good.replacing("\"eventName\"", with: "\"Other\""))
                == .incomplete(element: 2, member: "eventName"))
        #expect(
            try error(good.replacing("\"dynamodb\"", with: "\"Other\""))
                == .incomplete(element: 2, member: "SequenceNumber"))
        #expect(try error(Reply.record(event: "UPSERT")) == .unknownEvent(element: 2))
        for number in ["", "12a", "-1", "1.0", #"\u0031"#, String(repeating: "1", count: 41)] {
            #expect(try error(Reply.record(number: number)) == .badSequenceNumber(element: 2))
        }
        #expect(SimdjsonError.incomplete(element: 2, member: "Keys").description == "record 2 has no Keys")
    }

    @Test("Cut off after any byte, a reply is an error")
    func truncated() throws {
        let whole = Sample.body(
            Reply(records: [
                Reply.record(image: #"{"pk":{"S":"ü\"\\"},"l":{"L":[{"N":"1"},{"BOOL":true}]}}"#), Reply.record(),
            ]).text)
        for count in 0..<whole.count {
            var cut = Array(whole[..<count])
            #expect(throws: SimdjsonError.self, "after \(count) bytes") { try Replies.records(in: cut) }
            // What lies behind the end must not complete it.
            cut.reserveCapacity(whole.count + 64)
            cut += whole[count...]
            cut.removeLast(whole.count - count)
            #expect(throws: SimdjsonError.self, "after \(count) bytes, the rest behind") {
                try Replies.records(in: cut)
            }
        }
        _ = try Replies.records(in: whole)
    }

    @Test(
        "Whatever byte is wrong, nothing lies outside the body",
        arguments: [0x00, 0x22, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0xFF, 0x2C, 0x3A])
    func mutated(byte: UInt8) {
        let whole = Sample.body(Reply(records: [Reply.record(), Reply.record(event: "REMOVE", image: "null")]).text)
        for index in whole.indices {
            var body = whole
            body[index] = byte
            guard let page = try? Replies.records(in: body) else { continue }
            for change in page.changes {
                for range in [change.keys, change.newImage, change.oldImage].compactMap(\.self) {
                    #expect(range.range.upperBound <= body.count && body[range.range.lowerBound] == UInt8(ascii: "{"))
                }
            }
        }
    }

    @Test(
        "Bytes that are no UTF-8 are refused, also within an image",
        arguments: [[0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xC0, 0x80]])
    func utf8(bytes: [UInt8]) {
        let text = Array(Reply(records: [Reply.record(image: #"{"pk":{"S":"@"}}"#)]).text.utf8)
        let body = text.flatMap { $0 == UInt8(ascii: "@") ? bytes : [$0] }
        #expect(throws: SimdjsonError.self) { try Replies.records(in: body) }
    }

    @Test(
        "An image that isn't JSON inside is refused: it would be passed on as it came",
        arguments: [
            #"{"a":[}]}"#, #"{"a":{"S":"x"]}"#, #"{"a" {"S":"x"}}"#, #"{"a":{"S":"x"},}"#,
            #"{"a":{"S":"x"} "b":{"S":"y"}}"#,
            #"{,"a":{"S":"x"}}"#, #"{"a":{"L":[,]}}"#, #"{"a":{"L":[1 2]}}"#, #"{a:{"S":"x"}}"#, #"{"a":{"BOOL":tru}}"#,
            #"{"a":{"BOOL":True}}"#, #"{"a":{"N":01}}"#, #"{"a":{"N":1.}}"#, #"{"a":{"N":.5}}"#, #"{"a":{"N":1e}}"#,
            #"{"a":{"N":+1}}"#, #"{"a":{"N":NaN}}"#, #"{"a":{"S":"x"y}}"#, #"{"a"}"#, #"{"a":}"#, #"{"a"::{"S":"x"}}"#,
            "{\"a\":{\"S\":\"\n\"}}",
        ])
    func malformedImage(image: String) {
        let text = Reply(records: [Reply.record(), Reply.record(image: image)]).text
        #expect(throws: SimdjsonError.self) { try Self.read(text) }
    }

    @Test("Every scalar of JSON is passed over, and an item is read at any depth that DynamoDB has")
    func scalars() throws {
        let scalars = ["0", "-0", "12", "-1.5e+10", "0.5E-3", "true", "false", "null", #""""#, "[]", "{}", "[[],{}]"]
        let nested =
            String(repeating: #"{"M":{"a":"#, count: 32) + #"{"L":[\#(scalars.joined(separator: " , "))]}"#
            + String(repeating: "}}", count: 32)
        let image = #"{"a":\#(nested)}"#
        let text = Reply(records: [Reply.record(image: image)]).text
        #expect(Self.text(try Self.read(text).changes[0].newImage, of: text) == image)
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(throws: SimdjsonError.self) {
            try Self.read(Reply(records: [Reply.record(image: #"{"a":\#(deep)}"#)]).text)
        }
    }

    @Test("A body without room behind it reads the same")
    func withoutRoom() throws {
        let text = Reply(
            records: (0..<50).map { Reply.record(number: String(20_500_000_000_000_000_910_398 + UInt128($0))) }
        ).text
        let tight = Array(Array(text.utf8)[...])
        let (a, b) = (try Replies.records(in: tight), try Self.read(text))
        #expect(a.changes == b.changes && a.next == b.next)
    }

    @Test("An item of 400 KB, and a page of a thousand records, are read whole")
    func large() throws {
        let image = #"{"pk":{"S":"a"},"v":{"S":"\#(String(repeating: "0123456789ABCDEF", count: 25_000))"}}"#
        let text = Reply(records: [Reply.record(image: image), Reply.record()]).text
        #expect(Self.text(try Self.read(text).changes[0].newImage, of: text) == image)
        let many = Reply(
            records: (0..<1000).map { Reply.record(number: String(20_500_000_000_000_000_910_398 + UInt128($0))) }
        ).text
        let page = try Self.read(many)
        #expect(
            page.changes.map { $0.sequenceNumber?.text }
                == (0..<1000).map { String(20_500_000_000_000_000_910_398 + UInt128($0)) })
    }

    @Test("Many threads read at once, each its own")
    func concurrent() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for round in 0..<20 {
                        let count = (task * 20 + round) % 40
                        let text = Reply(records: (0..<count).map { _ in Reply.record() }, next: "\"\(task)\"").text
                        let page = try Self.read(text)
                        #expect(page.changes.count == count && page.next == ShardIterator("\(task)"))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("A scan's items are places in the body, and the last key is the JSON that arrived")
    func scan() throws {
        let text =
            #"{"Count":2,"Items":[{"pk":{"S":"a"},"x":{"N":"1"}}, {"pk":{"S":"b"}} ],"ScannedCount":2,"LastEvaluatedKey":{ "pk":{"S":"b\u00e9"} }}"#
        let reply = try Replies.scan(in: Sample.body(text))
        #expect(
            reply.changes.map { Self.text($0.keys, of: text) } == [
                #"{"pk":{"S":"a"},"x":{"N":"1"}}"#, #"{"pk":{"S":"b"}}"#,
            ])
        #expect(reply.changes.allSatisfy { $0.kind == .snapshot && $0.newImage == $0.keys && $0.sequenceNumber == nil })
        #expect(Self.text(reply.lastEvaluatedKey, of: text) == #"{ "pk":{"S":"b\u00e9"} }"#)
    }

    @Test("A scan page may be empty and go on, and ends where there is no key")
    func scanEnds() throws {
        #expect(
            try Replies.scan(in: Sample.body(#"{"Items":[],"LastEvaluatedKey":{"pk":{"S":"b"}}}"#)).lastEvaluatedKey
                != nil)
        for end in [
            #"{"Items":[],"Count":0}"#, #"{"Items":[],"LastEvaluatedKey":null}"#,
            #"{"Items":[],"LastEvaluatedKey":{}}"#,
        ] {
            #expect(try Replies.scan(in: Sample.body(end)).lastEvaluatedKey == nil)
        }
    }

    @Test(
        "What isn't a scan's reply is an error",
        arguments: [
            "{}", #"{"Count":0}"#, #"{"Items":{}}"#, #"{"Items":[7]}"#, #"{"Items":[null]}"#, #"{"Items":[{}]}"#,
            #"{"Items":[{"a":{"S":"x"}}"#,
        ])
    func notAScan(text: String) { #expect(throws: SimdjsonError.self) { try Replies.scan(in: Sample.body(text)) } }
}
