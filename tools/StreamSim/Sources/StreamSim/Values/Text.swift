/// UTF-8 text, compared by bytes.
///
/// Swift's `String` takes é and e + U+0301 for one, which DynamoDB keeps apart, and has another order than the bytes.
package struct Text: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(_ string: String) { bytes = Array(string.utf8) }

    /// `nil` where the bytes are not UTF-8.
    package init?(utf8 bytes: [UInt8]) {
        guard UTF8Bytes.areValid(bytes) else { return nil }
        self.bytes = bytes
    }

    /// Of bytes that are known to be UTF-8: a part of checked text between two ASCII characters.
    init(checked bytes: [UInt8]) { self.bytes = bytes }

    package var string: String { String(decoding: bytes, as: UTF8.self) }
    package var isEmpty: Bool { bytes.isEmpty }

    package func hash(into hasher: inout Hasher) { UTF8Bytes.hash(bytes, into: &hasher) }
}

extension Text: Comparable {
    package static func < (left: Text, right: Text) -> Bool { UTF8Bytes.precedes(left.bytes, right.bytes) }
}

extension Text: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension Text: CustomStringConvertible {
    package var description: String { string }
}
