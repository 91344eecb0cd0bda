internal import FoundationEssentials
package import Simdjson
internal import StreamModel

/// A primary key as bytes that are equal exactly when DynamoDB holds the keys equal.
///
/// Strings are their UTF-8, binaries are decoded, numbers are their canonical text. `String` would not do: it holds
/// `é` and `e` + U+0301 equal, which are two keys (FACTS 8).
package struct CanonicalKey: Hashable, Sendable {
    package let hash: [UInt8]
    package let range: [UInt8]?

    package init(hash: [UInt8], range: [UInt8]?) {
        self.hash = hash
        self.range = range
    }

    /// - Throws: `Unreadable`, where an emulator sent a number or base64 that is none.
    package init(_ key: ItemKey) throws(Unreadable) {
        hash = try Self.bytes(of: key.hash)
        range = if let value = key.range { try Self.bytes(of: value) } else { nil }
    }

    /// By whole buffers: `Array` would hash byte by byte, once for each change that is written.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(hash.count)
        unsafe hash.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        guard let range else { return }
        unsafe range.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// A key attribute whose text is not of its type.
    package struct Unreadable: Error, CustomStringConvertible {
        let value: KeyValue

        package var description: String {
            let text = String(decoding: value.bytes.prefix(100), as: UTF8.self)
            return switch value.type {
            case .number: "\(text) is no number that DynamoDB can hold"
            case .binary: "\(text) is not base64"
            case .string: "\(text) is not a string"
            }
        }
    }

    private static func bytes(of value: KeyValue) throws(Unreadable) -> [UInt8] {
        switch value.type {
        case .string: return value.bytes
        case .number:
            guard let number = CanonicalNumber.make(value.bytes) else { throw Unreadable(value: value) }
            return number
        case .binary:
            guard let data = Data(base64Encoded: Data(value.bytes)) else { throw Unreadable(value: value) }
            return Array(data)
        }
    }
}
