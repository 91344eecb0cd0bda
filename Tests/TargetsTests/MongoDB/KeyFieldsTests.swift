import MongoC
import StreamModel
import Targets
import TestSupport
import Testing

@testable import MongoDBTarget

@Suite("Keys in documents")
struct KeyFieldsTests {
    private static let digits38 = "12345678901234567890123456789012345678"
    private let people = TableSchema("people", ("id", .string))
    private let numbered = TableSchema("numbered", ("n", .number))
    private let orders = TableSchema("orders", ("customer.id", .string), ("_id", .number))

    private func key(_ hash: String, _ range: String? = nil) -> CanonicalKey {
        CanonicalKey(hash: Array(hash.utf8), range: range.map { Array($0.utf8) })
    }

    private func fields(_ table: TableSchema, _ layout: DocumentFormat.Layout) -> KeyFields {
        KeyFields(DocumentFormat(layout), of: table)
    }

    @Test("A key is the _id, or the fields of a unique index")
    func filters() throws {
        func check(_ table: TableSchema, _ layout: DocumentFormat.Layout, _ key: CanonicalKey, _ json: String) throws {
            #expect(fields(table, layout).filter(of: key) == (try FormatSample.json(json)))
        }
        for layout in [DocumentFormat.Layout.typed, .plain] {
            try check(people, layout, key("a"), #"{"_id": "a"}"#)
            try check(numbered, layout, key("5"), #"{"_id": {"$numberLong": "5"}}"#)
            try check(numbered, layout, key("0.5"), #"{"_id": {"$numberDecimal": "0.5"}}"#)
            try check(numbered, layout, key(Self.digits38), #"{"_id": "\#(Self.digits38)"}"#)
            try check(
                orders, layout, key("a", "5"), #"{"_id": {"customer%2Eid": "a", "_id": {"$numberLong": "5"}}}"#)
            try check(
                TableSchema("b", ("k", .binary)), layout, CanonicalKey(hash: [0, 1], range: nil),
                #"{"_id": {"$binary": {"base64": "AAE=", "subType": "00"}}}"#)
        }
        try check(orders, .raw, key("a", "5"), #"{"customer%2Eid.S": "a", "pre_id.N": "5"}"#)
        try check(orders, .change, key("a", "5"), #"{"customer%2Eid": "a", "pre_id": {"$numberLong": "5"}}"#)
        try check(orders, .mchange, key("a", "5"), #"{"customer%2Eid": "a", "pre_id": {"$numberDouble": "5.0"}}"#)
        try check(numbered, .mchange, key("0.1"), #"{"n": {"$numberDouble": "0.10000000000000000555"}}"#)
    }

    @Test("A document begins with the key, and the key's attributes stand among the others")
    func documents() throws {
        let item = #"{"customer.id":{"S":"a"},"_id":{"N":"5.0"},"x":{"BOOL":true}}"#
        func document(_ layout: DocumentFormat.Layout) throws -> Document {
            try FormatSample.document(item, DocumentFormat(layout), table: orders, key: key("a", "5"))
        }
        #expect(
            try document(.typed)
                == (try FormatSample.json(
                    #"""
                    {"_id": {"customer%2Eid": "a", "_id": {"$numberLong": "5"}}, "customer%2Eid": {"S": "a"},
                    "%5Fid": {"N": {"$numberLong": "5"}}, "x": {"BOOL": true}}
                    """#)))
        #expect(
            try document(.raw)
                == (try FormatSample.json(#"{"customer%2Eid": {"S": "a"}, "pre_id": {"N": "5"}, "x": {"BOOL": true}}"#)))
        for layout in FormatSample.layouts {
            #expect(try fields(orders, layout).key(of: document(layout)) == key("a", "5"))
        }
    }

    @Test("Keys by chance come back, and equal ones alone are one filter", arguments: Seeds.all, FormatSample.layouts)
    func random(seed: UInt64, layout: DocumentFormat.Layout) throws {
        var generator = SeededGenerator(seed: seed)
        var items = RandomItem(seed: seed)
        for type in [ScalarType.string, .number, .binary] {
            let table = TableSchema("t", ("$h", type), ("r.r", .number))
            let fields = fields(table, layout)
            var known: [Document: CanonicalKey] = [:]
            for _ in 0..<500 {
                let hash: [UInt8] =
                    switch type {
                    case .string, .binary: (0..<2).map { _ in UInt8.random(in: 0...0x7F, using: &generator) }
                    case .number: items.number()
                    }
                let key = CanonicalKey(hash: hash, range: items.number())
                let document = layout.isNimoShakes ? nested(fields.filter(of: key)) : fields.filter(of: key)
                try #require(try fields.key(of: document) == key)
                try #require(known.updateValue(key, forKey: document) ?? key == key)
            }
        }
    }

    /// `{a.S: x}` as the document that it finds.
    private func nested(_ filter: Document) -> Document {
        Document { writer in
            for element in filter {
                let steps = element.name.split(separator: UInt8(ascii: "."))
                writer.name(Array(steps[0]))
                for step in steps.dropFirst() {
                    writer.beginDocument()
                    writer.name(Array(step))
                }
                writer.value(element.value)
                for _ in steps.dropFirst() { writer.end() }
            }
        }
    }

    @Test("Several keys are one query")
    func several() throws {
        #expect(
            fields(people, .typed).filter(of: [key("a"), key("b")]) == (try FormatSample.json(#"{"_id": {"$in": ["a", "b"]}}"#)))
        #expect(
            fields(people, .raw).filter(of: [key("a"), key("b")]) == (try FormatSample.json(#"{"id.S": {"$in": ["a", "b"]}}"#)))
        #expect(
            fields(orders, .raw).filter(of: [key("a", "1"), key("b", "2")])
                == (try FormatSample.json(
                    #"{"$or": [{"customer%2Eid.S": "a", "pre_id.N": "1"}, {"customer%2Eid.S": "b", "pre_id.N": "2"}]}"#)))
        #expect(fields(orders, .raw).filter(of: []) == (try FormatSample.json(#"{"customer%2Eid.S": {"$in": []}}"#)))
        #expect(fields(orders, .typed).filter(of: []) == (try FormatSample.json(#"{"_id": {"$in": []}}"#)))
    }

    @Test("A page begins behind a key; behind a number texts come too")
    func pages() throws {
        func check(_ table: TableSchema, _ layout: DocumentFormat.Layout, _ key: CanonicalKey?, _ json: String) throws {
            let page = fields(table, layout).page(after: key)
            #expect(page == (try FormatSample.json(json)), "\(page.extendedJSON)")
        }
        try check(people, .typed, nil, "{}")
        try check(people, .typed, key("a"), #"{"_id": {"$gt": "a"}}"#)
        try check(
            numbered, .typed, key("5"), #"{"$or": [{"_id": {"$gt": {"$numberLong": "5"}}}, {"_id": {"$type": "string"}}]}"#)
        try check(numbered, .typed, key(Self.digits38), #"{"_id": {"$gt": "\#(Self.digits38)"}}"#)
        try check(
            orders, .plain, key("a", "5"), #"{"_id": {"$gt": {"customer%2Eid": "a", "_id": {"$numberLong": "5"}}}}"#)
        try check(numbered, .raw, nil, #"{"n.N": {"$exists": true}}"#)
        try check(numbered, .raw, key("5"), #"{"n.N": {"$gt": "5"}}"#)
        try check(
            orders, .change, key("a", "5"),
            #"""
            {"$or": [{"customer%2Eid": {"$gt": "a"}}, {"customer%2Eid": "a", "pre_id": {"$gt": {"$numberLong": "5"}}},
            {"customer%2Eid": "a", "pre_id": {"$type": "string"}}]}
            """#)
        #expect(fields(people, .typed).order == (try FormatSample.json(#"{"_id": 1}"#)))
        #expect(fields(people, .typed).projection == (try FormatSample.json(#"{"_id": 1}"#)))
        #expect(fields(orders, .raw).order == (try FormatSample.json(#"{"customer%2Eid.S": 1, "pre_id.N": 1}"#)))
        #expect(fields(orders, .change).projection == (try FormatSample.json(#"{"_id": 0, "customer%2Eid": 1, "pre_id": 1}"#)))
    }

    @Test("A document under another key than the table's is named")
    func foreign() throws {
        for (table, layout, json) in [
            (people, DocumentFormat.Layout.typed, #"{"_id": 5}"#), (people, .typed, "{}"), (people, .typed, #"{"_id": {"id": "a"}}"#),
            (orders, .typed, #"{"_id": "a"}"#), (orders, .typed, #"{"_id": {"_id": 5, "customer%2Eid": "a"}}"#),
            (numbered, .typed, #"{"_id": "x"}"#), (people, .raw, #"{"id": "a"}"#), (people, .change, #"{"id": null}"#),
        ] {
            #expect(throws: FormatError.self, "\(json)") { try fields(table, layout).key(of: try FormatSample.json(json)) }
        }
        // As a shell writes them.
        #expect(try fields(numbered, .typed).key(of: FormatSample.json(#"{"_id": {"$numberInt": "5"}}"#)) == key("5"))
    }

    @Test("A guard holds back an older change of the same shard and epoch")
    func guarded() throws {
        let origin = Batch.Origin.shard(Feed.key(of: people, shard: "shardId-1"), epoch: Epoch(3), upTo: Feed.number(7))
        let place = ByteRange(offset: 0, count: 0)
        let change = Change(
            kind: .remove, sequenceNumber: SequenceNumber("123"), approximateTime: nil, keys: place, newImage: nil, oldImage: nil)
        let stamp = try #require(WriteStamp(change, of: origin))
        #expect(
            fields(people, .typed).filter(of: key("a"), notAfter: stamp)
                == (try FormatSample.json(
                    #"""
                    {"_id": "a", "$or": [{"_shake.shard": {"$ne": "shardId-1"}}, {"_shake.epoch": {"$ne": {"$numberLong": "3"}}},
                    {"_shake.sequence_number": {"$lte": "0000000000000000000000000000000000000123"}}]}
                    """#)))
    }

    // MARK: Indexes

    private func secondary(_ name: String, _ hash: (String, ScalarType), _ range: (String, ScalarType)? = nil) -> SecondaryIndex {
        func attribute(_ pair: (String, ScalarType)) -> KeyAttribute {
            KeyAttribute(name: Array(pair.0.utf8), type: pair.1)
        }
        return SecondaryIndex(
            name: name, scope: .local, hash: attribute(hash), range: range.map(attribute), projection: .all)
    }

    @Test("The unique index of NimoShake's formats is called as NimoShake's")
    func uniqueIndex() throws {
        #expect(IndexDesign.ofKey(orders, DocumentFormat(.typed)) == nil)
        #expect(IndexDesign.ofKey(orders, DocumentFormat(.plain)) == nil)
        let raw = try #require(IndexDesign.ofKey(people, DocumentFormat(.raw)))
        #expect(raw.document == (try FormatSample.json(#"{"key": {"id.S": 1}, "name": "id.S_1", "unique": true}"#)))
        let change = try #require(IndexDesign.ofKey(orders, DocumentFormat(.change)))
        #expect(change.name == "customer%2Eid_1_pre_id_1")
        #expect(change.key == (try FormatSample.json(#"{"customer%2Eid": 1, "pre_id": 1}"#)))
    }

    @Test("A secondary index is on the attributes' fields")
    func secondaryIndexes() throws {
        let indexes = [
            secondary("by-status", ("status", .string), ("at", .number)), secondary("again", ("status", .string), ("at", .number)),
            secondary("_id_", ("$x", .binary)), secondary("own", ("customer.id", .string), ("_id", .number)),
        ]
        func documents(_ layout: DocumentFormat.Layout) -> [Document] {
            IndexDesign.secondary(indexes, of: orders, DocumentFormat(layout)).map(\.document)
        }
        #expect(
            documents(.typed)
                == (try [
                    #"{"key": {"status.S": 1, "at.N": 1}, "name": "by-status"}"#, #"{"key": {"%24x.B": 1}, "name": "%24x.B_1"}"#,
                    #"{"key": {"customer%2Eid.S": 1, "%5Fid.N": 1}, "name": "own"}"#,
                ].map(FormatSample.json)))
        #expect(
            documents(.plain)
                == (try [
                    #"{"key": {"status": 1, "at": 1}, "name": "by-status"}"#, #"{"key": {"%24x": 1}, "name": "%24x_1"}"#,
                    #"{"key": {"customer%2Eid": 1, "%5Fid": 1}, "name": "own"}"#,
                ].map(FormatSample.json)))
        // The last one is the unique one.
        #expect(
            documents(.raw)
                == (try [
                    #"{"key": {"status.S": 1, "at.N": 1}, "name": "status.S_1_at.N_1"}"#, #"{"key": {"%24x.B": 1}, "name": "%24x.B_1"}"#,
                ].map(FormatSample.json)))
    }
}
