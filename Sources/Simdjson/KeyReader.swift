internal import CSimdjson
package import StreamModel

/// Reads the key attributes of an object of attribute values that lies within a page's body.
///
/// It owns a parser, so it serves one thread at a time; the compiler sees to that, for it can't be copied.
package struct KeyReader: ~Copyable {
    private let schema: TableSchema
    private var parser = Parser()

    package init(_ schema: TableSchema) { self.schema = schema }

    /// The key within `object`, a place in `body`.
    ///
    /// - Parameter object: holds at least the key attributes, `{"pk":{"S":"a"},…}`; other members are skipped. Names
    ///   are compared as bytes after JSON's escapes are undone.
    /// - Throws: where a key attribute is missing or not of the schema's type.
    package mutating func key(in object: ByteRange, of body: [UInt8]) throws(SimdjsonError) -> ItemKey {
        let schema = self.schema
        return unsafe try parser.with(object.range, of: body) { parser, bytes, count, available throws(SimdjsonError) in
            var (hash, range) = unsafe (csj_key_value(), csj_key_value())
            let status = unsafe schema.hash.withC { hashAttribute in
                guard let attribute = schema.range else {
                    return unsafe csj_read_key(parser, bytes, count, available, hashAttribute, nil, &hash, nil)
                }
                return unsafe attribute.withC {
                    unsafe csj_read_key(parser, bytes, count, available, hashAttribute, $0, &hash, &range)
                }
            }
            if let error = unsafe SimdjsonError(status, bytes: count, schema: schema) { throw error }
            return unsafe ItemKey(
                hash: KeyValue(hash, of: schema.hash, at: object.offset),
                range: schema.range.map { unsafe KeyValue(range, of: $0, at: object.offset) })
        }
    }
}

extension KeyAttribute {
    /// Lends the attribute to C. Both pointers end with `body`.
    fileprivate func withC<R>(_ body: (UnsafePointer<csj_key_attribute>) -> R) -> R {
        unsafe name.withUnsafeBufferPointer { name in
            let type = CChar(bitPattern: type.rawValue.utf8.first ?? 0)
            var attribute = unsafe csj_key_attribute(name: name.baseAddress, name_count: name.count, type: type)
            return unsafe withUnsafePointer(to: &attribute, body)
        }
    }
}

extension KeyValue {
    fileprivate init(_ value: csj_key_value, of attribute: KeyAttribute, at offset: UInt32) {
        self.init(
            type: attribute.type,
            bytes: unsafe Array(UnsafeBufferPointer(start: value.text, count: value.text_count)),
            raw: unsafe ByteRange(offset: offset + value.raw.offset, count: value.raw.count))
    }
}
