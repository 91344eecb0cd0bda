package import StreamModel

/// An item's primary key, equal and hashed by its bytes.
package struct ItemKey: Hashable, Sendable {
    package let hash: KeyValue
    package let range: KeyValue?

    package init(hash: KeyValue, range: KeyValue?) {
        self.hash = hash
        self.range = range
    }
}

/// The value of one key attribute.
package struct KeyValue: Sendable {
    package let type: ScalarType
    /// S: the text in UTF-8. N: the number's text as it came. B: its base64 text as it came. JSON's escapes are undone.
    package let bytes: [UInt8]
    /// The attribute value as it arrived, `{"S":"a"}`. Where it lay, so no part of what makes two keys equal.
    package let raw: ByteRange

    package init(type: ScalarType, bytes: [UInt8], raw: ByteRange) {
        self.type = type
        self.bytes = bytes
        self.raw = raw
    }
}

extension KeyValue: Hashable {
    package static func == (a: KeyValue, b: KeyValue) -> Bool { a.type == b.type && a.bytes == b.bytes }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(bytes)
    }
}
