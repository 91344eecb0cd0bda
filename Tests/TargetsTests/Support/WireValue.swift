import StreamModel
import Targets

/// A DynamoDB attribute value as DynamoDB itself compares it: numbers by value, sets without order, names by bytes.
/// Its reader is the tests' own, so that what a target holds is not judged by what wrote it.
indirect enum WireValue: Hashable {
    case string([UInt8])
    case number([UInt8])
    case binary([UInt8])
    case bool(Bool)
    case null
    case stringSet(Set<[UInt8]>)
    case numberSet(Set<[UInt8]>)
    case binarySet(Set<[UInt8]>)
    case list([WireValue])
    case map([[UInt8]: WireValue])

    struct Malformed: Error {
        let what: String
        init(_ what: String) { self.what = what }
    }

    /// Reads an item: a JSON object of attribute values.
    static func item(_ json: some Sequence<UInt8>) throws -> WireValue {
        try map(of: JSONText.parse(Array(json)))
    }

    static func item(_ json: String) throws -> WireValue { try item(Array(json.utf8)) }

    private static func map(of json: JSONText) throws -> WireValue {
        guard case .object(let members) = json else { throw Malformed("an item that is no object") }
        return .map(try members.mapValues(WireValue.init))
    }

    private init(_ json: JSONText) throws {
        guard case .object(let members) = json, members.count == 1, let (tag, value) = members.first else {
            throw Malformed("a value without exactly one type")
        }
        func text(_ json: JSONText) throws -> [UInt8] {
            guard case .string(let bytes) = json else { throw Malformed("\(json) where a text belongs") }
            return bytes
        }
        func number(_ json: JSONText) throws -> [UInt8] {
            guard let number = CanonicalNumber.make(try text(json)) else { throw Malformed("\(json) is no number") }
            return number
        }
        func set(_ json: JSONText, _ element: (JSONText) throws -> [UInt8]) throws -> Set<[UInt8]> {
            guard case .array(let elements) = json else { throw Malformed("a set that is no array") }
            let set = Set(try elements.map(element))
            guard set.count == elements.count else { throw Malformed("a set with an element twice") }
            return set
        }
        switch String(decoding: tag, as: UTF8.self) {
        case "S": self = .string(try text(value))
        case "N": self = .number(try number(value))
        case "B": self = .binary(try text(value))
        case "SS": self = .stringSet(try set(value, text))
        case "NS": self = .numberSet(try set(value, number))
        case "BS": self = .binarySet(try set(value, text))
        case "L":
            guard case .array(let elements) = value else { throw Malformed("a list that is no array") }
            self = .list(try elements.map(WireValue.init))
        case "M": self = try WireValue.map(of: value)
        case "BOOL":
            guard case .literal(let literal) = value, literal != "null" else { throw Malformed("BOOL of \(value)") }
            self = .bool(literal == "true")
        case "NULL": self = .null
        case let tag: throw Malformed("type \(tag)")
        }
    }
}

/// JSON with names and texts as bytes, and numbers as their text.
indirect enum JSONText: Hashable {
    case object([[UInt8]: JSONText])
    case array([JSONText])
    case string([UInt8])
    case number(String)
    case literal(String)

    static func parse(_ bytes: [UInt8]) throws -> JSONText {
        var reader = Reader(bytes: bytes)
        let value = try reader.value()
        guard reader.next == nil else { throw WireValue.Malformed("something after the end") }
        return value
    }

    subscript(_ name: String) -> JSONText? {
        guard case .object(let members) = self else { return nil }
        return members[Array(name.utf8)]
    }

    var text: String? {
        guard case .string(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        /// The next byte that is no white space.
        var next: UInt8? {
            mutating get {
                while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
                return place < bytes.count ? bytes[place] : nil
            }
        }

        mutating func take(_ character: Unicode.Scalar) throws {
            guard next == UInt8(ascii: character) else { throw WireValue.Malformed("no \(character) at \(place)") }
            place += 1
        }

        mutating func value() throws -> JSONText {
            switch next {
            case UInt8(ascii: "{"):
                var members: [[UInt8]: JSONText] = [:]
                try list("{", "}") { reader in
                    let name = try reader.string()
                    try reader.take(":")
                    guard members.updateValue(try reader.value(), forKey: name) == nil else {
                        throw WireValue.Malformed("a name twice")
                    }
                }
                return .object(members)
            case UInt8(ascii: "["):
                var elements: [JSONText] = []
                try list("[", "]") { elements.append(try $0.value()) }
                return .array(elements)
            case UInt8(ascii: "\""): return .string(try string())
            default:
                let start = place
                while place < bytes.count, !Array(",]} \n\r\t".utf8).contains(bytes[place]) { place += 1 }
                let text = String(decoding: bytes[start..<place], as: UTF8.self)
                return ["true", "false", "null"].contains(text) ? .literal(text) : .number(text)
            }
        }

        mutating func list(
            _ start: Unicode.Scalar, _ end: Unicode.Scalar, _ element: (inout Reader) throws -> Void
        ) throws {
            try take(start)
            if next == UInt8(ascii: end) { return try take(end) }
            while true {
                try element(&self)
                if next == UInt8(ascii: end) { return try take(end) }
                try take(",")
            }
        }

        mutating func string() throws -> [UInt8] {
            try take("\"")
            var text: [UInt8] = []
            while place < bytes.count {
                let byte = bytes[place]
                place += 1
                switch byte {
                case UInt8(ascii: "\""): return text
                case UInt8(ascii: "\\"): text += try escaped()
                case 0..<0x20: throw WireValue.Malformed("a control character inside a text")
                default: text.append(byte)
                }
            }
            throw WireValue.Malformed("a text without an end")
        }

        private mutating func escaped() throws -> [UInt8] {
            defer { place += 1 }
            switch bytes[place] {
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "u"):
                var code = try hexadecimal()
                if (0xD800..<0xDC00).contains(code) {
                    place += 2
                    code = 0x10000 + (code - 0xD800) << 10 + (try hexadecimal() - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw WireValue.Malformed("a lone surrogate") }
                return Array(String(Character(scalar)).utf8)
            case let byte: return [byte]
            }
        }

        /// Four digits after the place; leaves the place on the last of them.
        private mutating func hexadecimal() throws -> UInt32 {
            guard place + 4 < bytes.count,
                let code = UInt32(String(decoding: bytes[place + 1...place + 4], as: UTF8.self), radix: 16)
            else { throw WireValue.Malformed("a bad escape") }
            place += 4
            return code
        }
    }
}
