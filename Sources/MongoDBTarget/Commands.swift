internal import MongoC

/// The commands that are sent beside bulks. Pure: what is known in, documents out.
enum Commands {
    /// How long the server may take for one of these or to wait for others, in milliseconds; less than a socket's timeout.
    static let limit: Int64 = 20_000

    /// Under its older name, which every version knows: `hello` came with the last ones of each, and with 5.0.
    static let hello = Document { writer in
        writer.name("isMaster")
        writer.int32(1)
    }

    // MARK: Collections

    /// All collections, or the one of the name.
    static func collections(named name: String? = nil) -> Document {
        Document { writer in
            writer.name("listCollections")
            writer.int32(1)
            guard let name else { return }
            writer.name("filter")
            writer.beginDocument()
            writer.name("name")
            writer.string(name)
            writer.end()
        }
    }

    static func create(_ collection: String) -> Document { durable("create", collection) }
    static func drop(_ collection: String) -> Document { durable("drop", collection) }

    /// To be asked of the database `admin`.
    static func rename(_ collection: String, to other: String, in database: String) -> Document {
        durable("renameCollection", "\(database).\(collection)") { writer in
            writer.name("to")
            writer.string("\(database).\(other)")
        }
    }

    static func createIndexes(_ indexes: [Document], of collection: String) -> Document {
        durable("createIndexes", collection) { writer in
            writer.name("indexes")
            writer.beginArray()
            for index in indexes { writer.document(index) }
            writer.end()
        }
    }

    static func indexes(of collection: String) -> Document {
        Document { writer in
            writer.name("listIndexes")
            writer.string(collection)
        }
    }

    // MARK: Documents

    /// Changes the one that matches.
    ///
    /// - Parameter isDurable: in a transaction the commit is.
    static func update(
        _ collection: String, _ filter: Document, _ change: Document, upsert: Bool = false, isDurable: Bool = true
    ) -> Document {
        command("update", collection, isDurable: isDurable) { writer in
            writer.name("updates")
            writer.beginArray()
            writer.beginDocument()
            writer.name("q")
            writer.document(filter)
            writer.name("u")
            writer.document(change)
            writer.name("upsert")
            writer.bool(upsert)
            writer.end()
            writer.end()
        }
    }

    /// Removes all that match.
    static func delete(_ collection: String, _ filter: Document) -> Document {
        durable("delete", collection) { writer in
            writer.name("deletes")
            writer.beginArray()
            writer.beginDocument()
            writer.name("q")
            writer.document(filter)
            writer.name("limit")
            writer.int32(0)
            writer.end()
            writer.end()
        }
    }

    /// Ends whatever runs under sessions, and aborts their transactions. A user may do so to its own.
    static func killSessions(_ sessions: [Document]) -> Document {
        Document { writer in
            writer.name("killSessions")
            writer.beginArray()
            for session in sessions { writer.document(session) }
            writer.end()
        }
    }

    // MARK: Options of a find

    static let one = Document { writer in
        writer.name("limit")
        writer.int32(1)
    }

    static func equal(_ name: String, _ text: String) -> Document {
        Document { writer in
            writer.name(name)
            writer.string(text)
        }
    }

    // MARK: -

    private static func durable(
        _ name: String, _ collection: String, _ more: (inout DocumentWriter) -> Void = { _ in }
    ) -> Document {
        command(name, collection, isDurable: true, more)
    }

    private static func command(
        _ name: String, _ collection: String, isDurable: Bool, _ more: (inout DocumentWriter) -> Void
    ) -> Document {
        Document { writer in
            writer.name(name)
            writer.string(collection)
            more(&writer)
            guard isDurable else { return }
            writer.name("writeConcern")
            writer.document(.durable(limit: limit))
            // An index of many rows takes as long as it takes.
            guard name != "createIndexes" else { return }
            writer.name("maxTimeMS")
            writer.int64(limit)
        }
    }
}
