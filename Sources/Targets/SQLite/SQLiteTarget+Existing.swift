internal import GRDB
package import StreamModel

/// What lies in the database already.
extension SQLiteTarget {
    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        let operation = "looking at the table \(table.name)"
        if database != nil { return try access(operation) { try Self.place(of: table, $0) } }
        guard FileIdentity.kind(of: path.text) == .file else {
            return Place(object: "SQL table \(table.name)", contents: .missing, unfit: Self.refusal(of: table.name))
        }
        var configuration = Configuration()
        configuration.readonly = true
        do {
            let reader = try DatabaseQueue(path: path.text, configuration: configuration)
            defer { try? reader.close() }
            return try reader.inDatabase { try Self.place(of: table, $0) }
        } catch {
            throw translated(error, during: operation)
        }
    }

    /// An SQL table of the name that can't be used is none of this: `prepare` says so.
    package func begin(_ table: TableName) async throws(TargetError) -> String? {
        guard SQLiteSchema.refusal(of: table) == nil else { return nil }
        return try access("beginning the table \(table)") { database in
            guard try Self.contents(of: table, database) == .filled else { return nil }
            switch existing {
            case .refuse:
                throw TargetError.misconfigured(
                    target: name,
                    reason:
                        "the SQL table \(table) holds rows of which this journal knows nothing. Go on with the journal that they were "
                        + "written with; or say what becomes of them: --existing append fills the table on, replace drops it "
                        + "first, rename keeps it under another name")
            case .append: return "the SQL table \(table) holds rows already, and is filled on"
            case .replace:
                try change(table, SQLiteSchema.drop(table), database)
                return "the SQL table \(table) held rows, and was dropped"
            case .rename:
                let other = try Self.freeName(for: table, database)
                try change(table, SQLiteSchema.rename(table, to: other), database)
                return "the SQL table \(table) held rows, and is called \(other) now"
            }
        }
    }

    private func change(_ table: TableName, _ sql: String, _ database: Database) throws {
        try database.inTransaction(.immediate) {
            try database.execute(sql: sql)
            for sql in SQLiteSchema.forget { try database.execute(sql: sql, arguments: [table.text]) }
            return .commit
        }
    }

    private static func place(of table: TableSchema, _ database: Database) throws -> Place {
        Place(
            object: "SQL table \(table.name)", contents: try contents(of: table.name, database),
            unfit: try refusal(of: table.name) ?? misfit(of: table, database))
    }

    private static func contents(of table: TableName, _ database: Database) throws -> Place.Contents {
        guard try exists(table, database) else { return .missing }
        return try Bool.fetchOne(database, sql: SQLiteSchema.isFilled(table)) == true ? .filled : .empty
    }

    /// `orders_before`, `orders_before_2`, …
    private static func freeName(for table: TableName, _ database: Database) throws -> TableName {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE)"
        var (name, number) = ("\(table)_before", 1)
        while try Bool.fetchOne(database, sql: sql, arguments: [name]) == true {
            number += 1
            name = "\(table)_before_\(number)"
        }
        return TableName(name)
    }
}
