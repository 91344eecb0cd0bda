/// Writes a document element by element, straight into the bytes that are sent.
///
///     writer.name("status")
///     writer.string(text)
///     writer.name("tags")
///     writer.beginArray()
///     writer.int64(1)
///     writer.end()
///
/// In a document `name` comes before each value; in an array the elements are numbered here. A value without a name, a name
/// without a value and an `end` too many are the caller's mistakes, and trap.
package struct DocumentWriter: ~Copyable {
    private enum Pending {
        case nothing
        /// The element's type is still to be written here.
        case value(type: Int)
    }

    private struct Open {
        let start: Int
        /// Of the next element; `nil` in a document.
        var index: Int?
    }

    private var bytes: [UInt8]
    private var open: [Open]
    private var pending = Pending.nothing

    /// - Parameter capacity: of the bytes that will be written, about.
    package init(reserving capacity: Int = 128) {
        bytes = []
        bytes.reserveCapacity(capacity)
        open = [Open(start: 0, index: nil)]
        bytes.append(contentsOf: repeatElement(0, count: 4))
    }

    package consuming func finish() -> Document {
        precondition(open.count == 1, "what was begun must be ended")
        close()
        return Document(trusted: bytes[...])
    }

    /// How many bytes are written so far.
    package var count: Int { bytes.count }

    // MARK: Names

    /// The name of the next element.
    ///
    /// - Parameter bytes: UTF-8 without U+0000, which a name of BSON can't hold: the caller must have made sure of that.
    package mutating func name(_ name: Span<UInt8>) {
        begin()
        for place in name.indices { precondition(name[place] != 0, "a name ends at its first U+0000") }
        append(name)
        bytes.append(0)
    }

    package mutating func name(_ name: [UInt8]) { self.name(name.span) }

    package mutating func name(_ name: String) {
        begin()
        for byte in name.utf8 {
            precondition(byte != 0, "a name ends at its first U+0000")
            bytes.append(byte)
        }
        bytes.append(0)
    }

    private mutating func begin() {
        guard case .nothing = pending else { preconditionFailure("a name without a value") }
        precondition(open[open.count - 1].index == nil, "the elements of an array have no names")
        pending = .value(type: bytes.count)
        bytes.append(0)
    }

    // MARK: Values

    /// - Parameter text: UTF-8, which may hold U+0000.
    package mutating func string(_ text: Span<UInt8>) {
        element(BSONType.string)
        append(Int32(text.count + 1))
        append(text)
        bytes.append(0)
    }

    package mutating func string(_ text: [UInt8]) { string(text.span) }

    package mutating func string(_ text: String) { string(Array(text.utf8)) }

    package mutating func int32(_ number: Int32) {
        element(BSONType.int32)
        append(number)
    }

    package mutating func int64(_ number: Int64) {
        element(BSONType.int64)
        append(number)
    }

    package mutating func double(_ number: Double) {
        element(BSONType.double)
        append(number.bitPattern)
    }

    package mutating func decimal128(_ number: Decimal128) {
        element(BSONType.decimal128)
        append(number.bits)
    }

    /// - Returns: `false` where it is not exactly such a number; then nothing is written, and another value may be.
    package mutating func decimal128(exactly text: Span<UInt8>) -> Bool {
        guard let number = Decimal128(exactly: text) else { return false }
        decimal128(number)
        return true
    }

    package mutating func bool(_ value: Bool) {
        element(BSONType.bool)
        bytes.append(value ? 1 : 0)
    }

    package mutating func null() { element(BSONType.null) }

    /// With the generic subtype.
    package mutating func binary(_ value: Span<UInt8>) {
        element(BSONType.binary)
        append(Int32(value.count))
        bytes.append(0)
        append(value)
    }

    package mutating func binary(_ value: [UInt8]) { binary(value.span) }

    package mutating func objectID(_ id: ObjectID) {
        element(BSONType.objectID)
        bytes.append(contentsOf: id.bytes)
    }

    /// - Parameter milliseconds: since 1970 in UTC.
    package mutating func date(milliseconds: Int64) {
        element(BSONType.date)
        append(milliseconds)
    }

    package mutating func document(_ document: Document) {
        element(BSONType.document)
        bytes.append(contentsOf: document.storage)
    }

    /// - Parameter array: a document whose names are the numbers from 0.
    package mutating func array(_ array: Document) {
        element(BSONType.array)
        bytes.append(contentsOf: array.storage)
    }

    /// What was read before, of whatever type.
    package mutating func value(_ value: BSONValue) {
        switch value {
        case .double(let number): double(number)
        case .string(let text): string(text)
        case .document(let document): self.document(document)
        case .array(let array): self.array(array)
        case .binary(let value, subtype: let subtype):
            element(BSONType.binary)
            append(Int32(value.count))
            bytes.append(subtype)
            bytes.append(contentsOf: value)
        case .objectID(let id): objectID(id)
        case .bool(let value): bool(value)
        case .date(milliseconds: let milliseconds): date(milliseconds: milliseconds)
        case .null: null()
        case .int32(let number): int32(number)
        case .timestamp(let time):
            element(BSONType.timestamp)
            append(time)
        case .int64(let number): int64(number)
        case .decimal128(let number): decimal128(number)
        case .other(type: let type, let value):
            element(type)
            bytes.append(contentsOf: value)
        }
    }

    package mutating func beginDocument() {
        element(BSONType.document)
        nest(index: nil)
    }

    package mutating func beginArray() {
        element(BSONType.array)
        nest(index: 0)
    }

    /// Of the document or array that was begun last.
    package mutating func end() {
        precondition(open.count > 1, "an end of what was not begun")
        close()
    }

    // MARK: Bytes

    private mutating func nest(index: Int?) {
        open.append(Open(start: bytes.count, index: index))
        bytes.append(contentsOf: repeatElement(0, count: 4))
    }

    private mutating func close() {
        guard case .nothing = pending else { preconditionFailure("a name without a value") }
        bytes.append(0)
        guard let ended = open.popLast(), let count = Int32(exactly: bytes.count - ended.start) else {
            preconditionFailure("a document of 2 GiB")
        }
        for place in 0..<4 { bytes[ended.start + place] = UInt8(truncatingIfNeeded: count >> (8 * Int32(place))) }
    }

    /// What stands before a value: its type, and in an array its number.
    private mutating func element(_ type: UInt8) {
        if case .value(type: let place) = pending {
            bytes[place] = type
            pending = .nothing
            return
        }
        let last = open.count - 1
        guard let index = open[last].index else { preconditionFailure("a value without a name") }
        open[last].index = index + 1
        bytes.append(type)
        if index < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(index))
        } else {
            bytes.append(contentsOf: String(index).utf8)
        }
        bytes.append(0)
    }

    private mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
