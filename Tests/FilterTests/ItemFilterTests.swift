import Filter
import Testing

@Suite("A filter")
struct ItemFilterTests {
    private func matches(_ expression: String, _ item: String, values: String? = nil) throws -> Bool {
        var placeholders = try Placeholders(names: ##"{"#s":"status","#dot":"a.b"}"##, values: values)
        let body = Array("xx\(item)xx".utf8)
        return try ItemFilter(expression, &placeholders).matches(body, 2..<body.count - 2)
    }

    @Test(
        "compares numbers as decimals of 38 digits",
        arguments: [
            ("1", "=", "1.0", true), ("1", "=", "10e-1", true), ("-0", "=", "0", true),
            ("12345678901234567890123456789012345678", "=", "12345678901234567890123456789012345679", false),
            ("12345678901234567890123456789012345678", "<", "12345678901234567890123456789012345679", true),
            ("0.1000000000000000000001", ">", "0.1", true), ("-2", "<", "-1.5", true), ("-1", "<", "0", true),
            ("9", "<", "10", true), ("1e100", ">", "9e99", true), ("1E-130", ">", "0", true),
            ("100", "<=", "1e2", true), ("0.09", "<", "0.1", true), ("-0.09", "<", "-0.1", false),
        ])
    func numbers(one: String, comparison: String, other: String, isTrue: Bool) throws {
        let values = #"{":v":{"N":"\#(other)"}}"#
        #expect(try matches("a \(comparison) :v", #"{"a":{"N":"\#(one)"}}"#, values: values) == isTrue)
    }

    @Test("holds values of two types unequal, and without order")
    func types() throws {
        let item = #"{"a":{"N":"1"},"b":{"S":"1"}}"#
        #expect(try !matches("a = b", item))
        #expect(try matches("a <> b", item))
        for comparison in ["<", "<=", ">", ">="] { #expect(try !matches("a \(comparison) b", item)) }
        #expect(try !matches("a BETWEEN b AND b", item))
        #expect(try !matches("a IN (b)", item))
    }

    @Test("holds what is missing unequal to everything")
    func missing() throws {
        for text in [
            "a = b", "x = y", "x < a", "x BETWEEN a AND a", "x IN (a, y)", "begins_with(x, a)", "contains(x, a)",
        ] {
            #expect(try !matches(text, #"{"a":{"N":"1"}}"#), "\(text)")
        }
        #expect(try matches("x <> a", #"{"a":{"N":"1"}}"#))
        #expect(try matches("attribute_not_exists(x) AND attribute_exists(a)", #"{"a":{"NULL":true}}"#))
        #expect(try !matches("attribute_exists(a)", "{}"))
    }

    @Test("compares binaries by their bytes, strings by their UTF-8, and sets without order")
    func bytes() throws {
        #expect(try matches("a < b", #"{"a":{"B":"AQ=="},"b":{"B":"/w=="}}"#), "by text, '/' comes before 'A'")
        #expect(try matches("a = :v", #"{"a":{"S":"\u00e9"}}"#, values: #"{":v":{"S":"é"}}"#))
        #expect(try matches("a <> :v", #"{"a":{"S":"e\u0301"}}"#, values: #"{":v":{"S":"é"}}"#), "two keys to DynamoDB")
        #expect(try matches("a > b", #"{"a":{"S":"\ud83d\ude00"},"b":{"S":"\uff5e"}}"#), "not by UTF-16")
        #expect(try matches("a = b", #"{"a":{"NS":["1","2"]},"b":{"NS":["2.0","1"]}}"#))
        #expect(
            try matches("a = b", #"{"a":{"M":{"x":{"N":"1"},"y":{"L":[]}}},"b":{"M":{"y":{"L":[]},"x":{"N":"1.0"}}}}"#))
        #expect(try !matches("a = b", #"{"a":{"L":[{"N":"1"},{"N":"2"}]},"b":{"L":[{"N":"2"},{"N":"1"}]}}"#))
    }

    @Test("binds NOT before AND and AND before OR, in any case")
    func precedence() throws {
        let item = #"{"t":{"BOOL":true},"f":{"BOOL":false}}"#
        let values = #"{":y":{"BOOL":true}}"#
        func holds(_ text: String) throws -> Bool { try matches(text, item, values: values) }
        #expect(try holds("t = :y OR t = :y AND f = :y"))
        #expect(try !holds("(t = :y OR t = :y) AND f = :y"))
        #expect(try holds("NOT f = :y and t = :y"))
        #expect(try holds("not f = :y Or f = :y"))
        #expect(try !holds("NOT (f = :y OR t = :y)"))
        #expect(try holds("NOT NOT t = :y"))
        #expect(try holds("f = :y OR t BETWEEN t AND t OR t = :y"))
    }

    @Test("knows the functions")
    func functions() throws {
        let item =
            #"{"s":{"S":"hello"},"l":{"L":[{"N":"1"},{"S":"x"}]},"ns":{"NS":["1","2.50"]},"b":{"B":"AAEC"},"e":{"S":""}}"#
        func holds(_ text: String, _ value: String) throws -> Bool {
            try matches(text, item, values: #"{":v":\#(value)}"#)
        }
        #expect(try holds("begins_with(s, :v)", #"{"S":"hel"}"#))
        #expect(try !holds("begins_with(s, :v)", #"{"S":"ell"}"#))
        #expect(try holds("begins_with(b, :v)", #"{"B":"AAE="}"#))
        #expect(try holds("contains(s, :v)", #"{"S":"llo"}"#))
        #expect(try holds("contains(b, :v)", #"{"B":"AQI="}"#))
        #expect(try holds("contains(ns, :v)", #"{"N":"25e-1"}"#))
        #expect(try !holds("contains(ns, :v)", #"{"S":"1"}"#))
        #expect(try holds("contains(l, :v)", #"{"N":"1.0"}"#))
        #expect(try holds("size(s) = :v", #"{"N":"5"}"#))
        #expect(try holds("size(l) < size(s) AND size(b) > :v", #"{"N":"2"}"#))
        #expect(try holds("size(e) = :v", #"{"N":"0"}"#))
        #expect(try holds("attribute_type(l, :v)", #"{"S":"L"}"#))
        #expect(try !holds("attribute_type(s, :v)", #"{"S":"N"}"#))
    }

    @Test("follows document paths, names of any kind, and escapes in names")
    func paths() throws {
        let item =
            #"{"a":{"M":{"b":{"L":[{"N":"0"},{"M":{"status":{"S":"open"}}}]}}},"a.b":{"N":"7"},"st\u0061tus":{"N":"8"}}"#
        func holds(_ text: String, _ value: String) throws -> Bool {
            try matches(text, item, values: #"{":v":\#(value)}"#)
        }
        #expect(try holds("a.b[1].#s = :v", #"{"S":"open"}"#))
        #expect(try holds("#dot = :v", #"{"N":"7"}"#))
        #expect(try holds("#s = :v", #"{"N":"8"}"#))
        #expect(try !holds("a.b[2].#s = :v", #"{"S":"open"}"#))
        #expect(try !holds("a[0] = :v OR a.b.c = :v OR a.b[0].c = :v", #"{"N":"0"}"#))
    }

    @Test(
        "matches nothing strange, and does not trap",
        arguments: [
            "", "{", "[]", "null", #"{"a"#, #"{"a":"#, #"{"a":{"N":"x"}}"#, #"{"a":{"N":1}}"#, #"{"a":{"B":"?"}}"#,
            #"{"a":{}}"#,
            #"{"a":{"S":"1","N":"1"}}"#, #"{"a":{"Q":"1"}}"#, #"{"a":{"S":"\ud800"}}"#, #"{"a":{"S":"\u12"}}"#,
            #"{"a":{"L":{}}}"#,
            #"{"a":{"M":[]}}"#, #"{"a":{"S":"x\"}}"#, #"{"a":{"BOOL":1}}"#, #"{"a" {"N":"1"}}"#,
            #"{"a":{"N":"1e999999999999"}}"#,
        ])
    func strange(item: String) throws {
        #expect(try !matches("a = :v", item, values: #"{":v":{"N":"1"}}"#))
        #expect(
            try !matches(
                "contains(a, :v) OR begins_with(a, :s) OR size(a) >= :v OR a IN (:v, :s) OR a.b[0] = :v",
                item, values: #"{":v":{"N":"1"},":s":{"S":"1"}}"#))
    }

    @Test("does not run out of stack on what is nested ever so deeply")
    func deep() throws {
        let deep = String(repeating: #"{"L":["#, count: 100_000) + String(repeating: "]}", count: 100_000)
        #expect(try !matches("a = a1", #"{"a":\#(deep),"a1":\#(deep)}"#))
        #expect(try matches("b = :v", #"{"a":\#(deep),"b":{"N":"1"}}"#, values: #"{":v":{"N":"1"}}"#))
    }

    @Test("has of the placeholders what it uses, as a request wants them")
    func requests() throws {
        var placeholders = try Placeholders(
            names: ##"{"#b":"é\n", "#a":"x", "#c":"z"}"##, values: #" { ":v" : {"N":"1"} , ":w":{"SS":["a"]}} "#)
        let filter = try ItemFilter("#b = :w AND attribute_exists(#a)", &placeholders)
        #expect(filter.names.map { String(decoding: $0, as: UTF8.self) } == ##"{"#a":"x","#b":"é\n"}"##)
        #expect(filter.values.map { String(decoding: $0, as: UTF8.self) } == #"{":w":{"SS":["a"]}}"#)
        #expect(throws: FilterError.unused(["#c", ":v"])) { try placeholders.checkAllUsed() }
        let other = try ItemFilter("#c = :v", &placeholders)
        try placeholders.checkAllUsed()
        #expect(other != filter)
        #expect(try ItemFilter("attribute_exists(a)", &placeholders).names == nil)
    }
}
