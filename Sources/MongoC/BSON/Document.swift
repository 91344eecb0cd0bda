internal import CMongoC

/// A BSON document, or an array, which has the same form: bytes that are whole, of which every part can be read.
///
/// A document within another one shares its bytes.
package struct Document: Sendable {
    /// The least that a document has: its length, and the end of its elements.
    static let emptyBytes = 5

    let storage: ArraySlice<UInt8>

    /// For bytes that are known to be a document.
    init(trusted storage: ArraySlice<UInt8>) { self.storage = storage }

    /// One with nothing in it.
    package init() { self.init(trusted: [5, 0, 0, 0, 0]) }

    /// - Throws: for anything but one whole document whose texts are UTF-8.
    package init(_ bytes: [UInt8]) throws(BSONError) {
        try DocumentCheck(bytes: bytes).whole()
        self.init(trusted: bytes[...])
    }

    package init<E: Error>(_ fill: (inout DocumentWriter) throws(E) -> Void) throws(E) {
        var writer = DocumentWriter()
        try fill(&writer)
        self = writer.finish()
    }

    package var bytes: [UInt8] { Array(storage) }
    package var byteCount: Int { storage.count }
    package var isEmpty: Bool { storage.count == Self.emptyBytes }
}

/// By their bytes: fields in another order make another document, as they do to MongoDB.
extension Document: Hashable {
    package static func == (one: Document, other: Document) -> Bool { one.storage == other.storage }

    package func hash(into hasher: inout Hasher) {
        unsafe storage.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

// MARK: - C

extension Document {
    /// A copy of a document of C's.
    init(copying pointer: OpaquePointer) throws(BSONError) {
        guard let start = unsafe bson_get_data(pointer) else { throw BSONError(reason: "nothing") }
        let count = (0..<4).reversed().reduce(0) { $0 << 8 | Int(unsafe start[$1]) }
        try self.init(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    }

    /// Lends the document to C, which must neither write to it nor keep it; nothing is copied.
    func withPointer<R, E: Error>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R {
        var result: Result<R, E>?
        unsafe storage.withUnsafeBufferPointer { bytes in
            // Aligned by hand: C wants more than Swift gives a variable of that type (BSON_ALIGNED_BEGIN).
            unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<bson_t>.size, alignment: 128) { memory in
                guard let start = memory.baseAddress else { return }
                let document = OpaquePointer(start)
                guard unsafe bson_init_static(document, bytes.baseAddress, bytes.count) else { return }
                do throws(E) { result = .success(unsafe try body(document)) } catch { result = .failure(error) }
            }
        }
        guard let result else { preconditionFailure("a document ends where it says, and C asks for no more") }
        return try result.get()
    }

    /// MongoDB's Extended JSON, canonical, as libbson writes it. For messages and tests: a text ends at its first U+0000 there.
    package var extendedJSON: String {
        unsafe withPointer { pointer in
            guard let text = unsafe bson_as_canonical_extended_json(pointer, nil) else { return "{}" }
            defer { unsafe bson_free(text) }
            return unsafe String(cString: text)
        }
    }

    /// - Throws: for what is no Extended JSON.
    package init(extendedJSON text: String) throws(BSONError) {
        var error = bson_error_t()
        let bytes = Array(text.utf8)
        let made = unsafe bytes.withUnsafeBufferPointer {
            unsafe bson_new_from_json($0.baseAddress, $0.count, &error)
        }
        guard let made = unsafe made else { throw BSONError(error) }
        defer { unsafe bson_destroy(made) }
        unsafe try self.init(copying: made)
    }
}

extension BSONError {
    fileprivate init(_ error: bson_error_t) {
        reason = unsafe withUnsafeBytes(of: error.message) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
