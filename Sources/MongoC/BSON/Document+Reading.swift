/// One element of a document: its name, and where its value lies.
package struct BSONElement: Sendable {
    /// UTF-8. Of an array's element its number.
    package let name: ArraySlice<UInt8>
    /// Read when it is asked for.
    package var value: BSONValue { BSONValue(type, bytes) }

    let type: UInt8
    let bytes: ArraySlice<UInt8>
}

/// The elements in their order; none is looked into before it is asked for its value.
extension Document: Sequence {
    package func makeIterator() -> Iterator { Iterator(rest: storage.dropFirst(4).dropLast()) }

    package struct Iterator: IteratorProtocol {
        fileprivate var rest: ArraySlice<UInt8>

        package mutating func next() -> BSONElement? {
            guard let type = rest.first else { return nil }
            guard let end = rest.dropFirst().firstIndex(of: 0) else { preconditionFailure("names end with U+0000") }
            let name = rest[(rest.startIndex + 1)..<end]
            rest = rest[(end + 1)...]
            let value = rest.prefix(BSONValue.byteCount(type, rest))
            rest = rest[value.endIndex...]
            return BSONElement(name: name, type: type, bytes: value)
        }
    }

    /// The first element of the name; found by walking.
    package subscript(_ name: String) -> BSONValue? {
        first { $0.name.elementsEqual(name.utf8) }?.value
    }

    package subscript(_ name: [UInt8]) -> BSONValue? {
        first { $0.name.elementsEqual(name) }?.value
    }

    /// One below the other: `document["cursor", "id"]`.
    package subscript(_ name: String, _ inner: String) -> BSONValue? { self[name]?.document?[inner] }

    package var names: [[UInt8]] { map { Array($0.name) } }
    package var values: [BSONValue] { map(\.value) }
}

extension BSONValue {
    /// How many of the bytes are the value's. A document was checked as a whole before, so each length in it holds.
    fileprivate static func byteCount(_ type: UInt8, _ bytes: ArraySlice<UInt8>) -> Int {
        switch type {
        case BSONType.undefined, BSONType.null, BSONType.minKey, BSONType.maxKey: 0
        case BSONType.bool: 1
        case BSONType.int32: 4
        case BSONType.double, BSONType.date, BSONType.timestamp, BSONType.int64: 8
        case BSONType.objectID: ObjectID.byteCount
        case BSONType.decimal128: Decimal128.byteCount
        case BSONType.string, BSONType.code, BSONType.symbol: 4 + Int(Self.int32(bytes))
        case BSONType.document, BSONType.array, BSONType.codeWithScope: Int(Self.int32(bytes))
        case BSONType.binary: 5 + Int(Self.int32(bytes))
        case BSONType.dbPointer: 4 + Int(Self.int32(bytes)) + ObjectID.byteCount
        case BSONType.regex: Self.twoTexts(bytes)
        default: preconditionFailure("a document was checked before: there is no type \(type)")
        }
    }

    /// A pattern and its options, each ended by U+0000.
    private static func twoTexts(_ bytes: ArraySlice<UInt8>) -> Int {
        let first = bytes.prefix { $0 != 0 }.count + 1
        return first + bytes.dropFirst(first).prefix { $0 != 0 }.count + 1
    }

    fileprivate init(_ type: UInt8, _ bytes: ArraySlice<UInt8>) {
        switch type {
        case BSONType.double: self = .double(Double(bitPattern: Self.number(bytes)))
        case BSONType.string: self = .string(Array(bytes.dropFirst(4).dropLast()))
        case BSONType.document: self = .document(Document(trusted: bytes))
        case BSONType.array: self = .array(Document(trusted: bytes))
        case BSONType.binary: self = .binary(Array(bytes.dropFirst(5)), subtype: bytes[bytes.startIndex + 4])
        case BSONType.objectID:
            guard let id = ObjectID(Array(bytes)) else { preconditionFailure("an ObjectID has twelve bytes") }
            self = .objectID(id)
        case BSONType.bool: self = .bool(bytes.first == 1)
        case BSONType.date: self = .date(milliseconds: Self.number(bytes))
        case BSONType.null: self = .null
        case BSONType.int32: self = .int32(Self.int32(bytes))
        case BSONType.timestamp: self = .timestamp(Self.number(bytes))
        case BSONType.int64: self = .int64(Self.number(bytes))
        case BSONType.decimal128: self = .decimal128(Decimal128(bits: Self.number(bytes)))
        default: self = .other(type: type, Array(bytes))
        }
    }

    private static func int32(_ bytes: ArraySlice<UInt8>) -> Int32 { number(bytes.prefix(4)) }

    /// The lowest byte first.
    private static func number<N: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> N {
        bytes.reversed().reduce(0) { $0 << 8 | N(truncatingIfNeeded: $1) }
    }
}
