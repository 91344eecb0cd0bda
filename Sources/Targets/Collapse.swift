package import StreamModel

/// Leaves of each key's changes only the last, for targets that keep state (DESIGN 4.3).
///
/// All changes of a key arrive through one shard at a time, in order of their sequence numbers, so the last to arrive
/// is the last that happened. Creation times say nothing here: they are whole seconds, and many changes share one.
package enum Collapse {
    /// A change that remains, and where it lies among the batches.
    package struct Row: Hashable, Sendable {
        package let batch: Int
        package let part: Int
        package let change: Change
        package let key: CanonicalKey

        package init(batch: Int, part: Int, change: Change, key: CanonicalKey) {
            self.batch = batch
            self.part = part
            self.change = change
            self.key = key
        }
    }

    /// The last change of each key of each table, in the order of those changes.
    ///
    /// - Parameter key: reads the key of a change in a part of a batch.
    package static func lastChanges<Failure: Error>(
        of batches: [Batch], key: (Batch, Batch.Part, Change) throws(Failure) -> CanonicalKey
    ) throws(Failure) -> [Row] {
        var rows: [Row?] = []
        var last: [Place: Int] = [:]
        let count = batches.reduce(0) { $0 + $1.count }
        rows.reserveCapacity(count)
        last.reserveCapacity(count)
        for (batchIndex, batch) in batches.enumerated() {
            for (partIndex, part) in batch.parts.enumerated() {
                for change in part.changes {
                    let key = try key(batch, part, change)
                    let place = Place(table: batch.table.name, key: key)
                    if let earlier = last.updateValue(rows.count, forKey: place) { rows[earlier] = nil }
                    rows.append(Row(batch: batchIndex, part: partIndex, change: change, key: key))
                }
            }
        }
        return rows.compactMap(\.self)
    }

    private struct Place: Hashable {
        let table: TableName
        let key: CanonicalKey
    }
}
