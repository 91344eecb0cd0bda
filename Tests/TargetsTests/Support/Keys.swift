import StreamModel
import Targets
import Testing

/// Pairs of keys that are easily taken for one, or for two.
enum Keys {
    struct Pair: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let table: TableSchema
        let one: String
        let other: String
    }

    static let different: [Pair] = [
        strings("normalisation twins", "\u{E9}", "e\u{301}"),
        strings("letters and their case", "a", "A"),
        strings("a zero byte at the end", "a", #"a\u0000"#),
        strings("after a zero byte", #"a\u0000b"#, #"a\u0000c"#),
        strings("a space at the end", "a", "a "),
        strings("digits as text", "1", "1.0"),
        strings("a quote", "'", "''"),
        numbers(
            "the last of 38 digits",
            "12345678901234567890123456789012345678", "12345678901234567890123456789012345679"),
        numbers("2^53 and 2^53 + 1", "9007199254740992", "9007199254740993"),
        numbers("the two ends", "1E-130", "9.9999999999999999999999999999999999999E+125"),
        numbers("a sign", "1", "-1"),
        numbers("a place", "1", "10"),
        binaries("a zero byte", "YQ==", "YQA="),
        binaries("what is no UTF-8", "/w==", "/g=="),
        composite("where one part ends", #"{"h":{"S":"ab"},"r":{"S":"c"}}"#, #"{"h":{"S":"a"},"r":{"S":"bc"}}"#),
        composite("a separator inside", #"{"h":{"S":"a|b"},"r":{"S":"c"}}"#, #"{"h":{"S":"a"},"r":{"S":"b|c"}}"#),
    ]

    static let same: [Pair] = [
        numbers("1 and 1.0", "1", "1.0"),
        numbers("1 and 1e0", "1", "1e0"),
        numbers("1 and 0.1E1", "1", "0.1E1"),
        numbers("zero and minus zero", "0", "-0"),
        numbers("1E-130 in full", "1E-130", "0." + String(repeating: "0", count: 129) + "1"),
        numbers("1E+125 in full", "1E+125", "1" + String(repeating: "0", count: 125)),
        strings("an escaped letter", "a", #"\u0061"#),
        strings("an escaped pair", "🦑", #"\ud83e\udd91"#),
        strings("an escaped slash", "a/b", #"a\/b"#),
        composite("members in another order", #"{"h":{"S":"a"},"r":{"S":"b"}}"#, #"{"r":{"S":"b"},"h":{"S":"a"}}"#),
        binaries("an escaped slash", "/w==", #"\/w=="#),
    ]

    private static func strings(_ name: String, _ one: String, _ other: String) -> Pair {
        pair(
            "S: \(name)", TableSchema("strings", ("k", .string)), #"{"k":{"S":"\#(one)"}}"#, #"{"k":{"S":"\#(other)"}}"#
        )
    }

    private static func numbers(_ name: String, _ one: String, _ other: String) -> Pair {
        pair(
            "N: \(name)", TableSchema("numbers", ("k", .number)), #"{"k":{"N":"\#(one)"}}"#, #"{"k":{"N":"\#(other)"}}"#
        )
    }

    private static func binaries(_ name: String, _ one: String, _ other: String) -> Pair {
        pair(
            "B: \(name)", TableSchema("binaries", ("k", .binary)), #"{"k":{"B":"\#(one)"}}"#,
            #"{"k":{"B":"\#(other)"}}"#)
    }

    private static func composite(_ name: String, _ one: String, _ other: String) -> Pair {
        pair("two parts: \(name)", TableSchema("composites", ("h", .string), ("r", .string)), one, other)
    }

    private static func pair(_ name: String, _ table: TableSchema, _ one: String, _ other: String) -> Pair {
        Pair(testDescription: name, table: table, one: one, other: other)
    }
}
