/// A JSON value as a place in bytes. Nothing is decoded before it is asked for, and nothing traps, whatever stands
/// there.
struct JSONView {
    private let bytes: [UInt8]
    private let range: Range<Int>

    /// - Parameter range: of one value, with whitespace around it or not.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// Its text.
    var text: ArraySlice<UInt8> { bytes[range] }

    /// The value of a member; the first, if there are several of the name. `nil` for what is no object, too.
    func member(_ name: [UInt8]) -> JSONView? {
        var found: JSONView?
        _ = members { key, value in
            guard key.isString(name) else { return true }
            found = value
            return false
        }
        return found
    }

    /// The only member of an object of one member.
    var onlyMember: (name: [UInt8], value: JSONView)? {
        var found: (name: [UInt8], value: JSONView)?
        var count = 0
        let isObject = members { key, value in
            count += 1
            found = key.string.map { ($0, value) }
            return count < 2
        }
        return isObject && count == 1 ? found : nil
    }

    /// Shows each member, until `body` says `false`.
    ///
    /// - Returns: `false` where this is no well-formed object, or `body` said so.
    func members(_ body: (_ name: JSONView, _ value: JSONView) -> Bool) -> Bool {
        each(between: UInt8(ascii: "{"), UInt8(ascii: "}")) { scanner in
            guard let name = scanner.value(), bytes[name.lowerBound] == UInt8(ascii: "\"") else { return false }
            guard scanner.take(UInt8(ascii: ":")), let value = scanner.value() else { return false }
            return body(JSONView(bytes, name), JSONView(bytes, value))
        }
    }

    /// Shows each element of an array; as `members`.
    func elements(_ body: (JSONView) -> Bool) -> Bool {
        each(between: UInt8(ascii: "["), UInt8(ascii: "]")) { scanner in
            guard let value = scanner.value() else { return false }
            return body(JSONView(bytes, value))
        }
    }

    private func each(between open: UInt8, _ close: UInt8, _ body: (inout JSONScanner) -> Bool) -> Bool {
        var scanner = JSONScanner(bytes, range)
        guard scanner.take(open) else { return false }
        if scanner.take(close) { return scanner.isAtEnd }
        repeat {
            guard body(&scanner) else { return false }
        } while scanner.take(UInt8(ascii: ","))
        return scanner.take(close) && scanner.isAtEnd
    }

    /// Whether this is `true` or `false`; `nil` where it is neither.
    var bool: Bool? {
        var scanner = JSONScanner(bytes, range)
        guard let range = scanner.value(), scanner.isAtEnd else { return nil }
        if bytes[range].elementsEqual("true".utf8) { return true }
        return bytes[range].elementsEqual("false".utf8) ? false : nil
    }

    /// A string's bytes, unescaped; `nil` for what is no string.
    var string: [UInt8]? {
        guard let quoted else { return nil }
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return quoted.contains { $0 < 0x20 } ? nil : Array(quoted)
        }
        return Self.unescape(quoted)
    }

    private func isString(_ other: [UInt8]) -> Bool {
        guard let quoted else { return false }
        return quoted.contains(UInt8(ascii: "\\")) ? string == other : quoted.elementsEqual(other)
    }

    /// What stands between the quotes.
    private var quoted: ArraySlice<UInt8>? {
        var scanner = JSONScanner(bytes, range)
        guard let range = scanner.value(), scanner.isAtEnd, bytes[range.lowerBound] == UInt8(ascii: "\"") else {
            return nil
        }
        return bytes[range.lowerBound + 1..<range.upperBound - 1]
    }

    private static func unescape(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var plain: [UInt8] = []
        plain.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                guard byte >= 0x20 else { return nil }
                plain.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            case let same? where [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")].contains(same):
                plain.append(same)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(&rest) else { return nil }
                plain += Array(String(Character(scalar)).utf8)
            default: return nil
            }
        }
        return plain
    }

    /// Behind `\u`: one unit, or a pair of them.
    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let first = unit(&rest) else { return nil }
        guard 0xD800...0xDBFF ~= first else { return Unicode.Scalar(first) }
        guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"), let second = unit(&rest),
            0xDC00...0xDFFF ~= second
        else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        var unit: UInt32 = 0
        for byte in rest.prefix(4) {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
