import Testing

@testable import shakectl

@Suite("A line of JSON")
struct JSONTests {
    @Test("Members keep the order in which they are written")
    func order() {
        let value: JSON = ["b": .integer(1), "a": .array([.bool(true), .null]), "c": .object([])]
        #expect(value.line == #"{"b":1,"a":[true,null],"c":{}}"#)
    }

    @Test(
        "Text is escaped as RFC 8259 asks, and everything else stays as it is",
        arguments: [
            ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("line\nfeed\r\ttab", #""line\nfeed\r\ttab""#),
            ("\u{0}\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""), ("ä→😀e\u{301}", "\"ä→😀e\u{301}\""),
        ])
    func escaping(text: String, line: String) {
        #expect(JSON.string(text).line == line)
    }

    @Test("Seconds have milliseconds, and none that aren't there")
    func seconds() {
        #expect(JSON.seconds(.milliseconds(1250)).line == "1.25")
        #expect(JSON.seconds(.seconds(3)).line == "3")
        #expect(JSON.seconds(.zero).line == "0")
        #expect(JSON.seconds(nil).line == "null")
    }

    @Test("The largest counts come out whole, and what is no number as null")
    func numbers() {
        #expect(JSON.unsigned(.max).line == "18446744073709551615")
        #expect(JSON.integer(.min).line == "-9223372036854775808")
        #expect(JSON.number(.infinity).line == "null")
        #expect(JSON.number(.nan).line == "null")
        #expect(JSON.number(1e20).line == "1e+20")
    }
}
