internal import CLibPQ

/// What a statement answered, in the text format.
package struct Rows: Sendable {
    /// Row by row; `nil` is NULL.
    package let values: [[[UInt8]?]]

    package var count: Int { values.count }

    /// A value as text; `nil` for NULL.
    package func text(_ row: Int, _ column: Int) -> String? {
        values[row][column].map { String(decoding: $0, as: UTF8.self) }
    }

    /// Takes over what `result` holds; it can be cleared then.
    init(_ result: OpaquePointer) {
        let (rows, columns) = unsafe (PQntuples(result), PQnfields(result))
        values = (0..<rows).map { row in
            (0..<columns).map { column -> [UInt8]? in
                guard unsafe PQgetisnull(result, row, column) == 0, let value = unsafe PQgetvalue(result, row, column)
                else { return nil }
                let count = unsafe Int(PQgetlength(result, row, column))
                return unsafe Array(UnsafeRawBufferPointer(start: value, count: count))
            }
        }
    }
}
