/// Reads JSON by RFC 8259, and nothing else.
struct JSONParser {
    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSON {
        // All at once, so that a string is a part of what was checked already.
        guard UTF8Bytes.areValid(bytes) else { throw JSONError(offset: 0, reason: "the text is not UTF-8") }
        skipSpace()
        let value = try self.value()
        skipSpace()
        guard index == bytes.count else { throw error("something follows the value") }
        return value
    }

    /// The byte to read, or 0 at the end: RFC 8259 has no place where that byte could stand.
    private var current: UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func error(_ reason: String) -> JSONError {
        JSONError(offset: index, reason: index < bytes.count ? reason : "it ends too early")
    }

    private mutating func skipSpace() {
        while true {
            switch current {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSON {
        switch current {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw error("no value begins like this")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in word.description.utf8 {
            guard current == byte else { throw error("only true, false and null are words") }
            index += 1
        }
        return value
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= JSON.deepest else { throw error("more than \(JSON.deepest) levels") }
        index += 1
        skipSpace()
    }

    private mutating func leave() {
        depth -= 1
        index += 1
    }

    private mutating func array() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        if current != UInt8(ascii: "]") {
            while true {
                elements.append(try value())
                skipSpace()
                if current == UInt8(ascii: "]") { break }
                guard current == UInt8(ascii: ",") else { throw error("an array goes on with , or ends with ]") }
                index += 1
                skipSpace()
            }
        }
        leave()
        return .array(elements)
    }

    private mutating func object() throws(JSONError) -> JSON {
        try enter()
        var members: [JSON.Member] = []
        var names: Set<Text> = []  // filled only when there are so many that going through them is slow
        if current != UInt8(ascii: "}") {
            while true {
                guard current == UInt8(ascii: "\"") else { throw error("a member begins with its name") }
                let name = try string()
                if members.count < 16 {
                    guard !members.contains(where: { $0.name == name }) else { throw duplicate(name) }
                } else {
                    if names.isEmpty { names = Set(members.lazy.map(\.name)) }
                    guard names.insert(name).inserted else { throw duplicate(name) }
                }
                skipSpace()
                guard current == UInt8(ascii: ":") else { throw error("a name is followed by :") }
                index += 1
                skipSpace()
                members.append(JSON.Member(name, try value()))
                skipSpace()
                if current == UInt8(ascii: "}") { break }
                guard current == UInt8(ascii: ",") else { throw error("an object goes on with , or ends with }") }
                index += 1
                skipSpace()
            }
        }
        leave()
        return .object(members)
    }

    private func duplicate(_ name: Text) -> JSONError {
        JSONError(offset: index, reason: "the name \"\(name)\" stands twice in one object")
    }

    private mutating func number() throws(JSONError) -> Text {
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        if current == UInt8(ascii: "0") { index += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        return Text(checked: Array(bytes[start..<index]))
    }

    private mutating func digits() throws(JSONError) {
        guard isDigit(current) else { throw error("a digit is missing in a number") }
        while isDigit(current) { index += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private mutating func string() throws(JSONError) -> Text {
        index += 1
        let start = index
        skipPlain()
        if current == UInt8(ascii: "\"") {
            defer { index += 1 }
            return Text(checked: Array(bytes[start..<index]))
        }
        var text = Array(bytes[start..<index])
        while current != UInt8(ascii: "\"") {
            guard current == UInt8(ascii: "\\") else { throw error("a control character in a string") }
            index += 1
            try escape(into: &text)
            let next = index
            skipPlain()
            text.append(contentsOf: bytes[next..<index])
        }
        index += 1
        return Text(checked: text)
    }

    private mutating func skipPlain() {
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            index += 1
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let byte = current
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            index += 1
            append(try scalar(), to: &text)
            return
        default: throw error("no such escape")
        }
        index += 1
    }

    /// Behind `\u`.
    private mutating func scalar() throws(JSONError) -> UInt32 {
        let first = try fourDigits()
        switch first {
        case 0xD800...0xDBFF:
            guard current == UInt8(ascii: "\\") else { throw error("half of a surrogate pair") }
            index += 1
            guard current == UInt8(ascii: "u") else { throw error("half of a surrogate pair") }
            index += 1
            let second = try fourDigits()
            guard case 0xDC00...0xDFFF = second else { throw error("half of a surrogate pair") }
            return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        case 0xDC00...0xDFFF: throw error("half of a surrogate pair")
        default: return first
        }
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch current {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = current - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = current - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = current - UInt8(ascii: "A") + 10
            default: throw error("\\u is followed by four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    private func append(_ scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case ..<0x80: text.append(UInt8(scalar))
        case ..<0x800:
            text.append(0xC0 | UInt8(scalar >> 6))
            text.append(0x80 | UInt8(scalar & 0x3F))
        case ..<0x10000:
            text.append(0xE0 | UInt8(scalar >> 12))
            text.append(0x80 | UInt8(scalar >> 6 & 0x3F))
            text.append(0x80 | UInt8(scalar & 0x3F))
        default:
            text.append(0xF0 | UInt8(scalar >> 18))
            text.append(0x80 | UInt8(scalar >> 12 & 0x3F))
            text.append(0x80 | UInt8(scalar >> 6 & 0x3F))
            text.append(0x80 | UInt8(scalar & 0x3F))
        }
    }
}
