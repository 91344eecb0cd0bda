internal import LibPQ
package import StreamModel
package import Targets

/// What lies in the database already.
extension PostgresTarget {
    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        let place = names[table.name]
        return try access("looking at the table \(place)") { session throws(PostgresError) in
            let isThere =
                try session.connection.execute(
                    PostgresSchema.kind, [.text(schema.schema), .text(place)]
                ).count > 0
            let misfit = try self.misfit(of: table, session)
            let unfit = refusal(of: table.name) ?? tables.claim(place, for: table.name) ?? misfit
            let contents: Place.Contents = !isThere ? .missing : try self.isFilled(place, session) ? .filled : .empty
            return Place(object: "table \(schema.schema).\(place)", contents: contents, unfit: unfit)
        }
    }

    private func isFilled(_ place: String, _ session: Session) throws(PostgresError) -> Bool {
        try session.connection.execute(schema.isFilled(place)).text(0, 0) == "t"
    }

    package func begin(_ table: TableName) async throws(TargetError) -> String? {
        guard refusal(of: table) == nil else { return nil }
        let place = names[table]
        if let refusal = tables.claim(place, for: table) { throw .misconfigured(target: name, reason: refusal) }
        let isFilled = try access("beginning the table \(place)") { session throws(PostgresError) in
            let kind = try session.connection.execute(PostgresSchema.kind, [.text(schema.schema), .text(place)])
            // What is no table is none of this: `prepare` says so.
            guard kind.count > 0, ["r", "p"].contains(kind.text(0, 0)) else { return false }
            return try self.isFilled(place, session)
        }
        guard isFilled else { return nil }
        switch existing {
        case .refuse:
            throw .misconfigured(
                target: name,
                reason:
                    "the table \(place) holds rows of which this journal knows nothing. Go on with the journal that they were "
                    + "written with; or say what becomes of them: --existing append fills the table on, replace drops it first, "
                    + "rename keeps it under another name")
        case .append: return "the table \(place) holds rows already, and is filled on"
        case .replace:
            try change(table, schema.drop(place))
            return "the table \(place) held rows, and was dropped"
        case .rename:
            let other = try freeName(for: place)
            try change(table, schema.rename(place, to: other))
            return "the table \(place) held rows, and is called \(other) now"
        }
    }

    private func change(_ table: TableName, _ sql: String) throws(TargetError) {
        try access("beginning the table \(names[table])") { session throws(PostgresError) in
            // First: without rows, nobody would look for positions any more.
            for sql in schema.forget { _ = try session.connection.execute(sql, [.text(table.text)]) }
            try session.connection.script(sql)
        }
    }

    /// `orders_before`, `orders_before_2`, …; of a long name as much as leaves room for that (63 bytes, NAMEDATALEN).
    private func freeName(for place: String) throws(TargetError) -> String {
        try access("beginning the table \(place)") { session throws(PostgresError) in
            var number = 1
            while true {
                let ending = number == 1 ? "_before" : "_before_\(number)"
                var start = place
                while start.utf8.count + ending.utf8.count > 63 { start.removeLast() }
                let name = start + ending
                let found = try session.connection.execute(
                    PostgresSchema.kind, [.text(schema.schema), .text(name)])
                if found.count == 0 { return name }
                number += 1
            }
        }
    }
}
