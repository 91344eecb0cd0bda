#if MongoDB
    internal import MongoC
    internal import StreamModel

    /// NimoShake's documents: one a shard, in a collection that is called like the table. The fields are those of its files.
    enum CheckpointDocuments {
        /// Why a document can't be one of its.
        struct Broken: Error, Hashable {
            let reason: String
        }

        /// One collection of the database, with all that is in it.
        struct Collection {
            static let ordinary = "collection"

            let name: String
            /// MongoDB's word: a collection, a view, a timeseries.
            let kind: String
            let documents: [Document]
        }

        /// - Throws: `.brokenDocument`, `.nothingThere`.
        static func checkpoints(
            in collections: [Collection], source: String
        ) throws(NimoShakeError) -> NimoShakeCheckpoints {
            var checkpoints = NimoShakeCheckpoints(source: source, status: nil, tables: [])
            for collection in collections.sorted(by: { $0.name < $1.name }) {
                let name = collection.name
                guard collection.kind == Collection.ordinary, NimoShakeFolder.isTableName(name) else {
                    let isOrdinary = collection.kind == Collection.ordinary
                    let reason = isOrdinary ? "that is no name of a table" : "it is a \(collection.kind)"
                    checkpoints.skipped.append(NimoShakeCheckpoints.Skipped(name: name, reason: reason))
                    continue
                }
                do throws(Broken) {
                    if name == NimoShakeWords.statusTable {
                        checkpoints.status = try status(collection.documents)
                    } else {
                        var rows: [NimoShakeCheckpoint] = []
                        for document in collection.documents { rows.append(try row(document)) }
                        checkpoints.tables.append(NimoShakeCheckpoints.Table(name: TableName(name), rows: rows))
                    }
                } catch {
                    throw .brokenDocument(source: source, collection: name, reason: error.reason)
                }
            }
            guard checkpoints.status != nil || checkpoints.tables.contains(where: { !$0.rows.isEmpty }) else {
                throw .nothingThere(source: source)
            }
            return checkpoints
        }

        /// What is missing is an empty text, as NimoShake reads it.
        static func row(_ document: Document) throws(Broken) -> NimoShakeCheckpoint {
            let shard = try text("ShardId", of: document)
            guard !shard.isEmpty else { throw Broken(reason: "it names no shard") }
            return NimoShakeCheckpoint(
                shard: shard, father: try text("FatherId", of: document),
                sequenceNumber: try text("SequenceNumber", of: document), status: try text("Status", of: document),
                worker: try text("WorkerId", of: document), iteratorType: try text("IteratorType", of: document),
                storedIterator: try text("ShardIt", of: document), updated: try text("UpdateDate", of: document),
                approximateTime: try text("ApproximateTime", of: document))
        }

        /// - Returns: `nil` where there is none.
        static func status(_ documents: [Document]) throws(Broken) -> String? {
            guard let document = documents.first(where: { $0["Key"]?.text == "status_key" }) else { return nil }
            return try text("StatusValue", of: document)
        }

        private static func text(_ field: String, of document: Document) throws(Broken) -> String {
            guard let value = document[field] else { return "" }
            guard let text = value.text else { throw Broken(reason: "its \(field) is no text") }
            return text
        }
    }
#endif
