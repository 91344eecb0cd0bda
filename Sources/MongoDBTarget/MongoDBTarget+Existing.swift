internal import MongoC
package import StreamModel
package import Targets

/// What lies in the database already.
extension MongoDBTarget {
    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        let place = names[table.name]
        if client == nil { try connect() }
        return try access("looking at the collection \(place)") { client throws(MongoError) in
            let isThere = try collection(place, client) != nil
            let misfit = try self.misfit(of: table, client)
            let contents: Place.Contents = !isThere ? .missing : try isFilled(place, client) ? .filled : .empty
            let unfit = refusal(of: table.name) ?? tables.claim(place, for: table.name) ?? misfit
            return Place(object: "collection \(database).\(place)", contents: contents, unfit: unfit)
        }
    }

    package func begin(_ table: TableName) async throws(TargetError) -> String? {
        guard refusal(of: table) == nil else { return nil }
        let place = names[table]
        if let refusal = tables.claim(place, for: table) { throw .misconfigured(target: name, reason: refusal) }
        let isFilled = try access("beginning the collection \(place)") { client throws(MongoError) in
            // What is a view is none of this: `prepare` says so.
            guard let found = try collection(place, client), found["type"]?.text ?? "collection" == "collection" else {
                return false
            }
            return try self.isFilled(place, client)
        }
        guard isFilled else { return nil }
        switch existing {
        case .refuse:
            throw .misconfigured(
                target: name,
                reason:
                    "the collection \(place) holds documents of which this journal knows nothing. Go on with the journal that they "
                    + "were written with; or say what becomes of them: --existing append fills the collection on, replace drops "
                    + "it first, rename keeps it under another name")
        case .append: return "the collection \(place) holds documents already, and is filled on"
        case .replace:
            try access("dropping the collection \(place)") { client throws(MongoError) in
                try forget(table, client)
                do throws(MongoError) { try client.command(Commands.drop(place), in: database) } catch {
                    guard error.code == Consequence.namespaceNotFound else { throw error }
                }
            }
            return "the collection \(place) held documents, and was dropped"
        case .rename:
            let other = try access("beginning the collection \(place)") { client throws(MongoError) in
                let names = Set(try client.list(Commands.collections(), in: database).compactMap { $0["name"]?.text })
                return Self.freeName(for: place, among: names)
            }
            try access(
                "renaming the collection \(place) (a sharded one can't be renamed before MongoDB 5.0: use --existing replace, or "
                    + "another name as target.tables.\(table))"
            ) { client throws(MongoError) in
                try forget(table, client)
                try client.command(Commands.rename(place, to: other, in: database), in: "admin")
            }
            return "the collection \(place) held documents, and is called \(other) now"
        }
    }

    /// Before the collection goes: positions that stay would speak of rows that are gone.
    private func forget(_ table: TableName, _ client: MongoClient) throws(MongoError) {
        for collection in [Positions.shardsCollection, Positions.segmentsCollection] {
            try client.command(Commands.delete(collection, Commands.equal("table", table.text)), in: database)
        }
        try client.command(
            Commands.delete(TableRecord.collection, Commands.equal("_id", names[table])), in: database)
    }

    /// `orders_before`, `orders_before_2`, …
    private static func freeName(for place: String, among names: Set<String>) -> String {
        var (name, number) = ("\(place)_before", 1)
        while names.contains(name) {
            number += 1
            name = "\(place)_before_\(number)"
        }
        return name
    }
}
