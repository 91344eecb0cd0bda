internal import CSimdjson
internal import StreamModel

/// Owns a simdjson parser and its scratch memory, which grows to the largest body seen and is used again.
///
/// Parsing writes to that memory, so every use is `mutating`: the compiler keeps a second one out.
@safe struct Parser: ~Copyable {
    /// `nil` where there was no memory for it, which the first use then says.
    private let pointer: OpaquePointer? = unsafe csj_parser_new()

    deinit { unsafe csj_parser_free(pointer) }

    /// Bytes of body that the scratch memory is made for at present; it holds about six times as many itself.
    var capacity: Int { unsafe pointer.map { unsafe csj_parser_capacity($0) } ?? 0 }

    /// Lends the parser, the bytes of `range` and how many bytes may be read from there on, to `body`.
    mutating func with<R>(
        _ range: Range<Int>, of bytes: borrowing [UInt8],
        _ body: (OpaquePointer, UnsafePointer<UInt8>, _ count: Int, _ available: Int) throws(SimdjsonError) -> R
    ) throws(SimdjsonError) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a range of another body")
        guard let pointer = unsafe pointer else { throw .outOfMemory }
        // Spare capacity belongs to the array's own allocation, so it may be read; what it holds means nothing.
        let available = bytes.capacity - range.lowerBound
        let result = unsafe bytes.withUnsafeBufferPointer { buffer -> Result<R, SimdjsonError> in
            // An empty array may have no address, and simdjson wants one.
            guard let base = buffer.baseAddress else {
                return .failure(.malformed(element: 0, detail: "an empty body"))
            }
            do throws(SimdjsonError) {
                return unsafe .success(try body(pointer, base + range.lowerBound, range.count, available))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension SimdjsonError {
    /// `nil` where `status` is a success.
    ///
    /// - Parameter schema: of the table whose key was read for, if that was what was done.
    init?(_ status: csj_status, bytes: Int, schema: TableSchema? = nil) {
        guard unsafe status.problem != CSJ_OK else { return nil }
        let element = Int(unsafe status.element)
        switch unsafe status.problem {
        case CSJ_NO_MEMORY: self = .outOfMemory
        case CSJ_TOO_LARGE: self = .tooLarge(bytes: bytes)
        case CSJ_MISSING_RECORDS: self = .missing(member: "Records")
        case CSJ_MISSING_ITEMS: self = .missing(member: "Items")
        case CSJ_MISSING_RESPONSES: self = .missing(member: "Responses")
        case CSJ_MISSING_SEQUENCE_NUMBER: self = .incomplete(element: element, member: "SequenceNumber")
        case CSJ_MISSING_KEYS: self = .incomplete(element: element, member: "Keys")
        case CSJ_MISSING_EVENT_NAME: self = .incomplete(element: element, member: "eventName")
        case CSJ_UNKNOWN_EVENT_NAME: self = .unknownEvent(element: element)
        case CSJ_MISSING_HASH_KEY: self = .noKeyAttribute(name: Self.name(schema?.hash))
        case CSJ_MISSING_RANGE_KEY: self = .noKeyAttribute(name: Self.name(schema?.range))
        case CSJ_HASH_KEY_TYPE:
            self = .keyType(name: Self.name(schema?.hash), expected: schema?.hash.type.rawValue ?? "")
        case CSJ_RANGE_KEY_TYPE:
            self = .keyType(name: Self.name(schema?.range), expected: schema?.range?.type.rawValue ?? "")
        default:  // CSJ_MALFORMED; a C enum can't be switched over completely
            let detail = unsafe status.detail.map { unsafe String(cString: $0) }
            self = .malformed(element: element, detail: detail ?? "can't be read")
        }
    }

    /// As far as it can be shown: the name is bytes.
    private static func name(_ attribute: KeyAttribute?) -> String {
        String(decoding: attribute?.name ?? [], as: UTF8.self)
    }
}
