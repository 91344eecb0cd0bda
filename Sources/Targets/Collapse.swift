package import StreamModel

/// Leaves of each key's changes only the last, for targets that keep state (DESIGN 4.3).
///
/// All changes of a key arrive through one shard at a time, in order of their sequence numbers, so the last to arrive
/// is the last that happened. Creation times say nothing here: they are whole seconds, and many changes share one.
package enum Collapse {
    /// A change that remains, and the part of its batch that it lies in.
    package struct Row: Hashable, Sendable {
        package let part: Int
        package let change: Change
        package let key: CanonicalKey

        package init(part: Int, change: Change, key: CanonicalKey) {
            self.part = part
            self.change = change
            self.key = key
        }
    }

    /// For each batch what remains of it: the last change of each key of each table over all batches, in their order.
    ///
    /// - Parameter key: reads the key of a change in a part of the batch with that index.
    package static func lastChanges<Failure: Error>(
        of batches: [Batch], key: (Int, Batch.Part, Change) throws(Failure) -> CanonicalKey
    ) throws(Failure) -> [[Row]] {
        var rows: [[Row?]] = []
        var last: [Place: (batch: Int, row: Int)] = [:]
        last.reserveCapacity(batches.reduce(0) { $0 + $1.count })
        // A number stands for the table, so that no name is hashed again for each change.
        var tables: [TableName: Int] = [:]
        for (index, batch) in batches.enumerated() {
            let table = tables[batch.table.name] ?? tables.count
            tables[batch.table.name] = table
            rows.append([])
            rows[index].reserveCapacity(batch.count)
            for (partIndex, part) in batch.parts.enumerated() {
                for change in part.changes {
                    let row = Row(part: partIndex, change: change, key: try key(index, part, change))
                    let place = (batch: index, row: rows[index].count)
                    if let earlier = last.updateValue(place, forKey: Place(table: table, key: row.key)) {
                        rows[earlier.batch][earlier.row] = nil
                    }
                    rows[index].append(row)
                }
            }
        }
        return rows.map { $0.compactMap(\.self) }
    }

    private struct Place: Hashable {
        let table: Int
        let key: CanonicalKey
    }
}
