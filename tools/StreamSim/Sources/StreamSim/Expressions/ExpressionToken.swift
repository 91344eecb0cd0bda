/// A token of an expression, as a place in its text.
struct ExpressionToken: Sendable {
    enum Kind: Equatable, Sendable {
        case word
        /// `#name`
        case name
        /// `:value`
        case value
        case number
        case symbol(UInt8)
        case lessOrEqual
        case greaterOrEqual
        case notEqual
        /// What no rule takes.
        case unknown
        case end
    }

    let kind: Kind
    let range: Range<Int>

    static func all(of text: [UInt8]) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        var index = 0
        func end(from start: Int, while holds: (UInt8) -> Bool) -> Int {
            var index = start
            while index < text.count, holds(text[index]) { index += 1 }
            return index
        }
        while index < text.count {
            let byte = text[index]
            let next = index + 1 < text.count ? text[index + 1] : 0
            let kind: Kind
            var last = index + 1
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D:
                index += 1
                continue
            case UInt8(ascii: "#"), UInt8(ascii: ":"):
                last = end(from: index + 1, while: isWordByte)
                kind = last == index + 1 ? .unknown : byte == UInt8(ascii: "#") ? .name : .value
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                last = end(from: index, while: { $0 &- UInt8(ascii: "0") < 10 })
                kind = .number
            // A word begins with a letter: the service stumbles over "_" (observed, says Alternator's test suite).
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                last = end(from: index, while: isWordByte)
                kind = .word
            case UInt8(ascii: "<") where next == UInt8(ascii: "="): (kind, last) = (.lessOrEqual, index + 2)
            case UInt8(ascii: ">") where next == UInt8(ascii: "="): (kind, last) = (.greaterOrEqual, index + 2)
            case UInt8(ascii: "<") where next == UInt8(ascii: ">"): (kind, last) = (.notEqual, index + 2)
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "+"),
                UInt8(ascii: "-"):
                kind = .symbol(byte)
            default:
                // The whole character, so that it can be shown.
                last = end(from: index + 1, while: { $0 & 0xC0 == 0x80 })
                kind = .unknown
            }
            tokens.append(ExpressionToken(kind: kind, range: index..<last))
            index = last
        }
        let end = tokens.last?.range.upperBound ?? 0
        tokens.append(ExpressionToken(kind: .end, range: end..<end))
        return tokens
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
