internal import CMongoC

/// What MongoDB's drivers make up as the `_id` of a document that has none.
package struct ObjectID: Hashable, Sendable, CustomStringConvertible {
    static let byteCount = 12

    /// Twelve.
    package let bytes: [UInt8]

    /// - Returns: `nil` unless there are twelve.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// A new one: the time in seconds, what is this process's own, and a counter.
    package init() {
        var made = bson_oid_t()
        unsafe bson_oid_init(&made, nil)
        bytes = unsafe withUnsafeBytes(of: &made) { unsafe Array($0) }
    }

    package var description: String {
        bytes.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }.joined()
    }
}
