/// A value of a document that is read. What lies within a document or an array is read when it is asked for.
package enum BSONValue: Hashable, Sendable {
    case double(Double)
    /// UTF-8, which may hold U+0000.
    case string([UInt8])
    case document(Document)
    case array(Document)
    case binary([UInt8], subtype: UInt8)
    case objectID(ObjectID)
    case bool(Bool)
    /// Since 1970 in UTC.
    case date(milliseconds: Int64)
    case null
    case int32(Int32)
    case timestamp(UInt64)
    case int64(Int64)
    case decimal128(Decimal128)
    /// Of a type that nothing here writes, as its bytes.
    case other(type: UInt8, [UInt8])
}

extension BSONValue {
    /// Of either width.
    package var integer: Int64? {
        switch self {
        case .int32(let number): Int64(number)
        case .int64(let number): number
        default: nil
        }
    }

    /// As a `String`; for what is shown or compared with what is known.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    package var document: Document? {
        guard case .document(let document) = self else { return nil }
        return document
    }

    package var array: Document? {
        guard case .array(let array) = self else { return nil }
        return array
    }
}
