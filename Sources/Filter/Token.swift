/// A token of an expression, as a place in its text.
struct Token: Sendable {
    enum Kind: Hashable, Sendable {
        case word
        /// `#name`
        case name
        /// `:value`
        case value
        case number
        case comparison(Condition.Comparison)
        case symbol(UInt8)
        /// What no rule takes.
        case unknown
        case end
    }

    let kind: Kind
    let range: Range<Int>

    static func all(of text: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < text.count {
            guard ![0x20, 0x09, 0x0A, 0x0D].contains(text[index]) else {
                index += 1
                continue
            }
            let (kind, count) = first(in: text[index...])
            tokens.append(Token(kind: kind, range: index..<index + count))
            index += count
        }
        tokens.append(Token(kind: .end, range: index..<index))
        return tokens
    }

    private static func first(in text: ArraySlice<UInt8>) -> (Kind, Int) {
        let byte = text[text.startIndex]
        let comparisons: [Condition.Comparison] = [.notEqual, .lessOrEqual, .greaterOrEqual, .equal, .less, .greater]
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: ":"):
            let count = text.dropFirst().prefix(while: isWordByte).count
            return (count == 0 ? .unknown : byte == UInt8(ascii: "#") ? .name : .value, 1 + count)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return (.number, text.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }.count)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return (.word, text.prefix(while: isWordByte).count)
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","),
            UInt8(ascii: "."):
            return (.symbol(byte), 1)
        default:
            if let comparison = comparisons.first(where: { text.starts(with: $0.rawValue.utf8) }) {
                return (.comparison(comparison), comparison.rawValue.utf8.count)
            }
            // The whole character, so that it can be shown.
            return (.unknown, 1 + text.dropFirst().prefix { $0 & 0xC0 == 0x80 }.count)
        }
    }

    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
