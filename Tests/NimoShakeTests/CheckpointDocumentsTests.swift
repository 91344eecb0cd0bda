#if MongoDB
    import MongoC
    import StreamModel
    import Testing

    @testable import NimoShake

    @Suite("NimoShake's documents")
    struct CheckpointDocumentsTests {
        private static let whole = #"""
            {"_id": {"$oid": "000102030405060708090a0b"}, "ShardId": "a", "FatherId": "p", "SequenceNumber": "42", "Status": "in processing",
            "WorkerId": "unknown-worker", "IteratorType": "AT_SEQUENCE_NUMBER", "ShardIt": "", "UpdateDate": "2026-11-23T11:59:50Z",
            "ApproximateTime": "2026-11-23 11:59:30 +0000 UTC"}
            """#

        @Test("A document is the row that a line of a file would be")
        func row() throws {
            #expect(
                try CheckpointDocuments.row(Document(extendedJSON: Self.whole))
                    == NimoShakeCheckpoint(
                        shard: "a", father: "p", sequenceNumber: "42", status: "in processing", worker: "unknown-worker",
                        iteratorType: "AT_SEQUENCE_NUMBER", updated: "2026-11-23T11:59:50Z",
                        approximateTime: "2026-11-23 11:59:30 +0000 UTC"))
            #expect(
                try CheckpointDocuments.row(Document(extendedJSON: #"{"ShardId": "a", "Other": 5}"#))
                    == NimoShakeCheckpoint(shard: "a"))
        }

        @Test(
            "What is no row is refused, with the field",
            arguments: [
                ("{}", "it names no shard"), (#"{"ShardId": ""}"#, "it names no shard"), (#"{"ShardId": 5}"#, "its ShardId is no text"),
                (#"{"ShardId": "a", "SequenceNumber": {"$numberLong": "42"}}"#, "its SequenceNumber is no text"),
                (#"{"ShardId": "a", "Status": null}"#, "its Status is no text"),
            ])
        func broken(json: String, reason: String) throws {
            let document = try Document(extendedJSON: json)
            #expect(throws: CheckpointDocuments.Broken(reason: reason)) { try CheckpointDocuments.row(document) }
        }

        private func collection(
            _ name: String, _ documents: String..., kind: String = "collection"
        ) throws -> CheckpointDocuments.Collection {
            .init(name: name, kind: kind, documents: try documents.map { try Document(extendedJSON: $0) })
        }

        @Test("A database is one collection a table, and the status of all of them")
        func database() throws {
            let checkpoints = try CheckpointDocuments.checkpoints(
                in: [
                    collection("status_table", #"{"Key": "status_key", "StatusValue": "incr_sync"}"#),
                    collection("orders", Self.whole, #"{"ShardId": "b"}"#), collection("a$b", #"{"ShardId": "x"}"#),
                    collection("all", kind: "view"), collection("empty"),
                ], source: "mongodb://h/d")
            #expect(checkpoints.source == "mongodb://h/d")
            #expect(checkpoints.status == "incr_sync")
            #expect(checkpoints.tables.map(\.name.text) == ["empty", "orders"])
            #expect(checkpoints.tables[1].rows.map(\.shard) == ["a", "b"])
            #expect(checkpoints.tables.allSatisfy { !$0.isTorn })
            #expect(
                checkpoints.skipped == [
                    .init(name: "a$b", reason: "that is no name of a table"), .init(name: "all", reason: "it is a view"),
                ])
        }

        @Test("What is no database of NimoShake's stops the import")
        func foreign() throws {
            #expect(throws: NimoShakeError.nothingThere(source: "s")) {
                try CheckpointDocuments.checkpoints(in: [], source: "s")
            }
            #expect(throws: NimoShakeError.nothingThere(source: "s")) {
                try CheckpointDocuments.checkpoints(in: [collection("orders")], source: "s")
            }
            let error = NimoShakeError.brokenDocument(source: "s", collection: "people", reason: "it names no shard")
            #expect(throws: error) {
                try CheckpointDocuments.checkpoints(
                    in: [collection("orders", Self.whole), collection("people", #"{"name": "x"}"#)], source: "s")
            }
            #expect(error.exitCode == 65)
        }

        @Test("The status is the document of its key")
        func status() throws {
            let others = try Document(extendedJSON: #"{"Key": "other", "StatusValue": "x"}"#)
            let status = try Document(extendedJSON: #"{"Key": "status_key", "StatusValue": "incr_sync"}"#)
            #expect(try CheckpointDocuments.status([others, status]) == "incr_sync")
            #expect(try CheckpointDocuments.status([others]) == nil)
            #expect(try CheckpointDocuments.status([]) == nil)
            #expect(throws: CheckpointDocuments.Broken.self) {
                try CheckpointDocuments.status([Document(extendedJSON: #"{"Key": "status_key", "StatusValue": 1}"#)])
            }
        }
    }
#endif
