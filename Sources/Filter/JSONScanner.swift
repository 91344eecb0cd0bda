/// Walks over JSON without decoding it, and without recursion: how deep a value is nested does not matter.
struct JSONScanner {
    private let bytes: [UInt8]
    private var index: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
        skipSpace()
    }

    var isAtEnd: Bool { index == end }

    /// Takes one byte of the grammar, and the whitespace behind it.
    mutating func take(_ byte: UInt8) -> Bool {
        guard index < end, bytes[index] == byte else { return false }
        index += 1
        skipSpace()
        return true
    }

    /// Passes over a value and the whitespace behind it; where it stood, or `nil` where there is none.
    mutating func value() -> Range<Int>? {
        guard index < end else { return nil }
        let start = index
        let last: Int?
        switch bytes[index] {
        case UInt8(ascii: "\""): last = endOfString(from: index)
        case UInt8(ascii: "{"), UInt8(ascii: "["): last = endOfBrackets()
        default: last = endOfWord()
        }
        guard let last, last > start else { return nil }
        index = last
        skipSpace()
        return start..<last
    }

    private mutating func skipSpace() {
        while index < end {
            switch bytes[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }

    private func endOfString(from start: Int) -> Int? {
        var index = start + 1
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }

    private func endOfBrackets() -> Int? {
        var index = index
        var depth = 0
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard let last = endOfString(from: index) else { return nil }
                index = last
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }

    private func endOfWord() -> Int {
        bytes[index..<end].firstIndex { byte in
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "\""),
                ...0x20:
                true
            default: false
            }
        } ?? end
    }
}
