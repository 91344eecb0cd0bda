/// A JSON value (RFC 8259). Members keep their order, and numbers stay as they were written.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Text)
    case string(Text)
    case array([JSON])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package let name: Text
        package let value: JSON

        package init(_ name: Text, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// Arrays and objects in one another. Attribute values reach 66: 32 levels of two each, in a request's own.
    package static let deepest = 128

    /// Strict: nothing before or behind, no name twice in an object, no half of a surrogate pair.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    package static func string(_ string: String) -> JSON { .string(Text(string)) }
    package static func integer(_ number: some BinaryInteger) -> JSON { .number(Text(String(number))) }

    /// The member of that name of an object, else `nil`.
    package subscript(_ name: Text) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package var text: Text? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// A whole number, however it is written: 100, 1e2 and 100.0 are one.
    package var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return DynamoNumber(text)?.integer
    }

    package var isTrue: Bool { self == .bool(true) }
    package var isNull: Bool { self == .null }

    package var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}

// So that replies can be written down as they look.
extension JSON: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .string(Text(value)) }
}

extension JSON: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

extension JSON: ExpressibleByBooleanLiteral {
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSON: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
}

extension JSON: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (Text, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
