internal import MongoC
internal import StreamModel
internal import Targets

/// Indexes beside that of `_id`.
extension MongoDBTarget {
    /// Makes those that are not there. One on the same fields serves, whatever it is called.
    ///
    /// - Returns: why the collection can't have them, and what to do.
    func makeIndexes(
        of table: TableSchema, like design: TableDesign, _ client: MongoClient
    ) throws(MongoError) -> String? {
        let place = names[table.name]
        let key = IndexDesign.ofKey(table, format)
        let wanted = [key].compactMap(\.self) + IndexDesign.secondary(design.indexes, of: table, format)
        guard !wanted.isEmpty else { return nil }
        let there = try client.list(Commands.indexes(of: place), in: database)
        var missing: [IndexDesign] = []
        for index in wanted {
            if let other = there.first(where: { $0["key"]?.document.map(Self.isOn(index)) ?? false }) {
                if index.isUnique, other["unique"] != .bool(true) {
                    return
                        "the collection \(place) has an index on its key that is not unique, \(other["name"]?.text ?? ""): drop it, "
                        + "and Shake makes one that is"
                }
            } else if there.contains(where: { $0["name"]?.text == index.name }) {
                return
                    "the collection \(place) has an index \(index.name) on other fields than the source's: rename or drop it"
            } else {
                missing.append(index)
            }
        }
        guard !missing.isEmpty else { return nil }
        do throws(MongoError) {
            try client.command(Commands.createIndexes(missing.map(\.document), of: place), in: database)
        } catch {
            guard error.code == Consequence.duplicateKey else { throw error }
            return
                "the collection \(place) holds two documents of one key, or documents without one (\(error.message)): take away "
                + "what is not the table's, or begin with another collection, named as target.tables.\(table.name)"
        }
        return nil
    }

    /// The fields are the same, in the same order and direction, of whatever number type `1` is.
    private static func isOn(_ index: IndexDesign) -> (Document) -> Bool {
        let wanted = index.key.map { ($0.name, $0.value.integer) }
        return { key in
            let found = key.map { ($0.name, whole($0.value)) }
            return found.count == wanted.count && zip(found, wanted).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
        }
    }

    private static func whole(_ value: BSONValue) -> Int64? {
        if case .double(let number) = value { return Int64(exactly: number) }
        return value.integer
    }
}
