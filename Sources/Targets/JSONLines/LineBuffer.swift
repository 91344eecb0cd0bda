internal import Simdjson
internal import StreamModel

/// Encodes batches into one reused buffer, and passes it on whenever it is full, so that memory does not grow with
/// what one write carries.
struct LineBuffer {
    private var bytes: [UInt8] = []
    private var flushed = 0
    private var encoders: [TableName: TableEncoder] = [:]

    /// Bytes after which the buffer is passed on; a line may exceed it.
    static let fill = 1 << 20

    /// A class, since a dictionary can't hold what isn't copyable.
    private final class TableEncoder {
        let schema: TableSchema
        var lines: LineEncoder

        init(_ schema: TableSchema) {
            self.schema = schema
            lines = LineEncoder(schema)
        }
    }

    /// Bytes encoded since `begin()`.
    var count: Int { flushed + bytes.count }

    /// The last bytes encoded, as far as they are still here.
    var tail: ArraySlice<UInt8> { bytes.suffix(FileToken.window) }

    mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        flushed = 0
    }

    /// Appends the lines of `batch`.
    ///
    /// - Parameter pass: takes a full buffer.
    mutating func append<Failure: Error>(
        _ batch: Batch, target: String, pass: ([UInt8]) throws(Failure) -> Void
    ) throws {
        let encoder = encoder(for: batch.table)
        for part in batch.parts {
            // Before and not after, so that `tail` is never empty after a batch that held something.
            if bytes.count >= Self.fill { try flush(pass) }
            do throws(LineEncoder.Failure) {
                try encoder.lines.append(part, of: batch, to: &bytes)
            } catch {
                throw TargetError.unwritable(
                    target: target, what: batch.describe(error.change), reason: "\(error.reason)",
                    change: error.change)
            }
        }
    }

    mutating func flush<Failure: Error>(_ pass: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        try pass(bytes)
        flushed += bytes.count
        bytes.removeAll(keepingCapacity: true)
    }

    private mutating func encoder(for schema: TableSchema) -> TableEncoder {
        if let known = encoders[schema.name], known.schema == schema { return known }
        let encoder = TableEncoder(schema)
        encoders[schema.name] = encoder
        return encoder
    }
}
