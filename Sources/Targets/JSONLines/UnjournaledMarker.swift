internal import Glibc
internal import StreamModel

/// Remembers beside a file that no offset of it has been journaled yet: `PATH.unjournaled`, which holds the length that the file had
/// before, as digits; empty: none.
///
/// A run that dies after its first write and before its first append leaves lines that no journal knows. With the
/// marker the next start knows them for its own and cuts them off, so that no human is needed; without it, a file that
/// holds something is somebody else's and is left alone.
///
/// The marker goes as soon as an offset is known to be journaled: when the journal hands one back, when a run ends in
/// order, or when a second batch of one shard arrives, since a target is at most one batch a shard ahead of the journal (DESIGN 7,
/// invariant 4).
struct UnjournaledMarker {
    private let file: TargetPath
    private var text: String { file.text + ".unjournaled" }
    /// What has been written since the marker was made; `nil` without a marker.
    private var seen: Set<Source>?

    private enum Source: Hashable {
        case shard(ShardKey)
        case segment(TableName, Int)
        case sweep(TableName)
    }

    init(_ file: TargetPath) { self.file = file }

    /// How long the file was when the marker was made; `nil` without a marker.
    var base: Int? {
        let descriptor = unsafe open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var digits = [UInt8](repeating: 0, count: 20)
        let count = unsafe digits.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? Int(String(decoding: digits[..<count], as: UTF8.self)) : 0
    }

    /// - Parameter base: the file's length now.
    mutating func create(at base: Int) throws(SystemError) {
        let descriptor = unsafe open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last("create \(text)") }
        defer { Glibc.close(descriptor) }
        if base > 0 {
            let digits = Array("\(base)".utf8)
            let count = unsafe digits.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count == digits.count, fsync(descriptor) == 0 else { throw .last("write \(text)") }
        }
        try file.synchroniseFolder()
        seen = []
    }

    mutating func remove() throws(SystemError) {
        seen = nil
        if unsafe unlink(text) != 0, errno != ENOENT { throw .last("remove \(text)") }
    }

    /// A run that ends in order has heard of each batch that it is in the journal; and what is left of a write that failed
    /// needs the marker still.
    mutating func closing() {
        guard seen?.isEmpty == false else { return }
        try? remove()
    }

    /// Takes note of batches that are durable now.
    mutating func wrote(_ batches: [Batch]) {
        guard seen != nil else { return }
        for batch in batches {
            let source: Source? =
                switch batch.origin {
                case .shard(let shard, _, _): .shard(shard)
                case .scan(let position): .segment(batch.table.name, Int(position.segment))
                case .sweep: .sweep(batch.table.name)
                case .repair: nil
                }
            guard let source, seen?.insert(source).inserted == false else { continue }
            // One that can't be removed now is removed at the next start; the write has succeeded all the same.
            try? remove()
            return
        }
    }
}
