#if MongoDB
    internal import MongoC
#endif

/// Reads NimoShake's checkpoints of `checkpoint.type = mongodb`: one collection a table, named like it, and the status table.
package enum NimoShakeDatabase {
    /// Where NimoShake keeps them unless its `checkpoint.db` or `id` say otherwise.
    package static let standard = "nimo-shake-checkpoint"

    /// - Parameters:
    ///   - database: `nil`: the one in the URL's path, and without one the standard one.
    ///   - password: where the URL has none.
    /// - Throws: `.database`, `.databaseRefuses`, `.nothingThere`, `.brokenDocument`, `.noDatabaseRead`.
    package static func read(
        _ url: String, database: String?, password: String? = nil
    ) throws(NimoShakeError) -> NimoShakeCheckpoints {
        #if MongoDB
            return try DatabaseReader(url, database: database, password: password).read()
        #else
            throw .noDatabaseRead
        #endif
    }
}

#if MongoDB
    private struct DatabaseReader {
        private let settings: MongoSettings
        private let database: String
        /// Without the user, and whatever else may be a secret.
        private let source: String

        init(_ url: String, database: String?, password: String?) throws(NimoShakeError) {
            let hasPassword = MongoDBAddress(url)?.url(database: nil).hadPassword ?? false
            do throws(MongoError) {
                settings = try MongoSettings(url: url, password: hasPassword ? nil : password)
            } catch {
                throw .badAddress(reason: error.message)
            }
            // `admin` stands there for where the user was made, as in NimoShake's own address.
            let path = settings.database.flatMap { $0.isEmpty || $0 == "admin" ? nil : $0 }
            self.database = database ?? path ?? NimoShakeDatabase.standard
            source = "\(settings.isLookedUp ? "mongodb+srv" : "mongodb")://\(settings.hosts.joined(separator: ","))/\(self.database)"
        }

        func read() throws(NimoShakeError) -> NimoShakeCheckpoints {
            let found: [CheckpointDocuments.Collection]
            do throws(MongoError) { found = try collections(of: MongoPool(settings).client()) } catch {
                throw failure(error)
            }
            return try CheckpointDocuments.checkpoints(in: found, source: source)
        }

        private func collections(of client: MongoClient) throws(MongoError) -> [CheckpointDocuments.Collection] {
            let listed = try client.list(
                Document { writer in
                    writer.name("listCollections")
                    writer.int32(1)
                }, in: database)
            var collections: [CheckpointDocuments.Collection] = []
            for collection in listed {
                guard let name = collection["name"]?.text, !name.hasPrefix("system.") else { continue }
                let kind = collection["type"]?.text ?? CheckpointDocuments.Collection.ordinary
                let isRead = kind == CheckpointDocuments.Collection.ordinary
                collections.append(
                    CheckpointDocuments.Collection(
                        name: name, kind: kind,
                        documents: isRead ? try client.find(Document(), in: database, name) : []))
            }
            return collections
        }

        private func failure(_ error: MongoError) -> NimoShakeError {
            switch error.code {
            case MongoError.authenticationFailed, 8000, 11:
                .databaseRefuses(
                    source: source,
                    reason: "\(error): the user or the password is wrong, or the user is one of another database: put the right ones into "
                        + "the URL (or the password into SHAKE_MONGODB_PASSWORD), and authSource=admin if the user was made there")
            case 13:
                .databaseRefuses(
                    source: source, reason: "\(error): the user may not read this: grant it the role read on the database")
            case nil:
                .database(
                    source: source,
                    reason: settings.isEncryptedByDefault
                        ? "\(error): see that the server runs and can be reached from here; it was asked for TLS, as the URL says nothing of "
                            + "it: add tls=false if the server has none"
                        : "\(error): see that the server runs and can be reached from here")
            default: .database(source: source, reason: "\(error)")
            }
        }
    }
#endif
