internal import Journal
internal import Simdjson
internal import StreamModel
internal import Targets

/// Keeps what scans bring from going over what streams have changed since (DESIGN 4.4), and sweeps from removing it.
///
/// Whoever writes to the target asks here first, one group after the other: so nothing comes between the look at a key and the
/// write of its row.
struct ScanGuards {
    /// Reads keys, which takes a parser of its own.
    private final class Guard {
        let touched: TouchedKeys
        private var reader: KeyReader

        init(_ touched: TouchedKeys, _ schema: TableSchema) {
            self.touched = touched
            reader = KeyReader(schema)
        }

        /// `nil` for a key that can't be read: the target says what is wrong with it.
        func key(of change: Change, in body: [UInt8]) -> TouchedKeys.Key? {
            guard let key = try? CanonicalKey(reader.key(in: change.keys, of: body)) else { return nil }
            return TouchedKeys.Key(hash: key.hash, range: key.range)
        }
    }

    private var guards: [TableName: Guard] = [:]

    mutating func begin(_ touched: TouchedKeys, of table: TableSchema) { guards[table.name] = Guard(touched, table) }
    mutating func end(_ table: TableName) { guards[table] = nil }

    /// What is left of some batches that are to be written in this order. What their streams change is durably known when this
    /// returns.
    func pass(_ batches: [Batch]) async throws(JournalError) -> [Batch] {
        guard !guards.isEmpty else { return batches }
        var passed = batches
        for (table, guardian) in guards {
            let places = batches.indices.filter { batches[$0].table.name == table }
            guard !places.isEmpty else { continue }
            // Of each change its key, or none.
            let keys = places.map { place in
                batches[place].parts.map { part in part.changes.map { guardian.key(of: $0, in: part.body) } }
            }
            let steps = zip(places, keys).map { place, keys in
                let known = keys.joined().compactMap(\.self)
                return switch batches[place].origin {
                // What was put right is newer than any row that was scanned before it.
                case .shard, .repair: TouchedKeys.Step.changes(known)
                case .scan: TouchedKeys.Step.rows(known)
                case .sweep: TouchedKeys.Step.sweep(known)
                }
            }
            var verdicts = try await guardian.touched.pass(steps)[...]
            for (place, keys) in zip(places, keys) {
                switch batches[place].origin {
                case .shard, .repair: continue
                case .scan, .sweep:
                    if let verdict = verdicts.popFirst() { passed[place] = batches[place].keeping(keys, verdict) }
                }
            }
        }
        return passed
    }
}

extension Batch {
    /// The same without rows that must not be written, or removed.
    ///
    /// - Parameters:
    ///   - keys: of each part, of each row, where it can be read.
    ///   - verdicts: of each key that can be read, in order: whether it stays.
    fileprivate func keeping(_ keys: [[TouchedKeys.Key?]], _ verdicts: [Bool]) -> Batch {
        guard verdicts.contains(false) else { return self }
        var verdicts = verdicts[...]
        let kept = zip(parts, keys).map { part, keys in
            let changes = zip(part.changes, keys).filter { _, key in key == nil || verdicts.popFirst() == true }
            return Part(body: part.body, changes: changes.map(\.0))
        }
        return Batch(table: table, origin: origin, parts: kept)
    }
}
