import AllTargets
import Foundation
import MongoC
import StreamModel
import Targets
import Testing

@testable import MongoDBTarget

/// A database of a test's own, and what is asked there beside the target.
struct MongoBench {
    static let ann = #"{"id":{"S":"ann"}}"#
    static let bob = #"{"id":{"S":"bob"}}"#

    let url: String
    let database: String

    /// - Parameter scratch: whose name the database has.
    init(_ server: String, _ scratch: Scratch) {
        url = server
        database = Mongo.database(of: scratch)
    }

    func make(
        _ existing: ExistingPolicy = .refuse, parameters: String = "", _ options: [(String, String)] = []
    ) throws -> any Target {
        try TargetSchemes.all.make(
            Mongo.url(url, database: database, options: parameters), existing: existing,
            options: TargetOptions(
                options.map { TargetOptions.Entry(path: $0.0.split(separator: "/").map(String.init), value: $0.1) }))
    }

    func opened(
        _ existing: ExistingPolicy = .refuse, parameters: String = "", _ options: [(String, String)] = []
    ) async throws -> any Target {
        let target = try make(existing, parameters: parameters, options)
        try await target.open(recoveringTo: [])
        return target
    }

    func client() throws -> MongoClient { try MongoPool(MongoSettings(url: url)).client() }

    @discardableResult
    func ask(_ command: String, in database: String? = nil) throws -> Document {
        try client().command(Document(extendedJSON: command), in: database ?? self.database)
    }

    func documents(_ collection: String, _ filter: String = "{}") throws -> [Document] {
        try client().find(Document(extendedJSON: filter), in: database, collection)
    }

    func items(_ collection: String = "people", _ format: DocumentFormat = DocumentFormat()) throws -> Set<WireValue> {
        Set(try documents(collection).map { try .item(Data(try DocumentReader(format).item(of: $0))) })
    }

    /// What is to go wrong, as `failCommand` takes it.
    func fail(_ commands: String, times: Int, _ fault: String) throws { try fail(commands, #""times":\#(times)"#, fault) }

    /// The same from then on, but for the first ones.
    func fail(_ commands: String, skip: Int, _ fault: String) throws { try fail(commands, #""skip":\#(skip)"#, fault) }

    private func fail(_ commands: String, _ mode: String, _ fault: String) throws {
        try ask(
            #"{"configureFailPoint":"failCommand","mode":{\#(mode)},"data":{"failCommands":[\#(commands)],\#(fault)}}"#,
            in: "admin")
    }

    static func refusal(_ body: () async throws -> Void) async -> TargetError? {
        do {
            try await body()
            return nil
        } catch { return error as? TargetError }
    }

    /// As the dispatcher does: what is unavailable is tried again.
    static func persisting(_ body: () async throws -> Void) async throws {
        for _ in 0..<200 {
            do { return try await body() } catch let error as TargetError {
                guard error.isRetryable else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        Issue.record("it is unavailable for good")
    }
}

@Suite("A MongoDB target")
struct MongoDBTargetTests {
    private static let ann = MongoBench.ann
    private static let bob = MongoBench.bob
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func bench(_ server: Mongo = .replicaSet) throws -> MongoBench { MongoBench(try server.url(), scratch) }

    // MARK: What lies there

    @Test("leaves what it finds alone unless somebody says what becomes of it", arguments: ExistingPolicy.allCases)
    func policy(existing: ExistingPolicy) async throws {
        let bench = try bench()
        let before = try await bench.opened()
        try await before.prepare(.people)
        _ = try await before.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        await before.close()

        let target = try await bench.opened(existing)
        let name = TableSchema.people.name
        switch existing {
        case .refuse:
            let error = await MongoBench.refusal { _ = try await target.begin(name) }
            #expect(error?.description.contains("--existing append") == true)
        case .append: #expect(try await target.begin(name)?.contains("filled on") == true)
        case .replace: #expect(try await target.begin(name)?.contains("dropped") == true)
        case .rename: #expect(try await target.begin(name)?.contains("people_before") == true)
        }
        if existing != .refuse { try await target.prepare(.people) }
        let stays = existing == .refuse || existing == .append
        #expect(try bench.documents("people").count == (stays ? 1 : 0))
        #expect(try bench.documents("_shake_positions").count == (stays ? 1 : 0))
        if existing == .rename { #expect(try bench.documents("people_before").count == 1) }
        let place = try await target.survey(.people)
        #expect(place.contents == (stays ? .filled : .empty))
    }

    @Test("refuses a collection that is no place for items, or was filled otherwise, with what differs")
    func misfit() async throws {
        let bench = try bench()
        try bench.ask(#"{"create":"people","capped":true,"size":4096}"#)
        let target = try await bench.opened()
        let error = await MongoBench.refusal { try await target.prepare(.people) }
        #expect(error?.description.contains("it is capped") == true, "\(String(describing: error))")
        #expect(try await target.survey(.people).unfit?.contains("it is capped") == true)

        let orders = TableSchema("orders", ("id", .string))
        try await target.prepare(orders)
        try await target.prepare(TableSchema("orders", ("id", .number)))
        try await target.prepare(orders)
        _ = try await target.write([Feed.batch(orders, [.insert(keys: Self.ann, new: Self.ann)])])
        #expect(
            await MongoBench.refusal { try await target.prepare(TableSchema("orders", ("id", .number))) }?.description
                .contains("filled under the key id (S)") == true)
        let plain = try await bench.opened(.refuse, [("format", "plain")])
        #expect(
            await MongoBench.refusal { try await plain.prepare(orders) }?.description.contains("format typed") == true)
        #expect(try await plain.survey(orders).unfit?.contains("format typed") == true)
    }

    @Test(
        "says what a view, a time series and a collation are",
        arguments: [
            (#"{"type":"view"}"#, "it is a view"), (#"{"type":"timeseries"}"#, "it is a timeseries"),
            (#"{"type":"collection","options":{"collation":{"locale":"de"}}}"#, "collation de"),
        ])
    func shapes(listed: String, words: String) throws {
        #expect(MongoDBTarget.misshape(of: try Document(extendedJSON: listed))?.contains(words) == true)
        #expect(
            MongoDBTarget.misshape(
                of: try Document(extendedJSON: #"{"type":"collection","options":{"collation":{"locale":"simple"}}}"#))
                == nil)
    }

    @Test("calls tables as it is told to, and refuses names that MongoDB or it has of its own")
    func names() async throws {
        let bench = try bench()
        let target = try await bench.opened(.refuse, [("tables/people", "leute"), ("prefix", "eu_")])
        try await target.prepare(.people)
        try await target.prepare(.orders)
        #expect(try await target.hasPlace(for: TableSchema.people.name))
        let names = try bench.client().list(Commands.collections(), in: bench.database).compactMap { $0["name"]?.text }
        #expect(Set(names).isSuperset(of: ["leute", "eu_shop.orders-2026"]))
        #expect(
            await MongoBench.refusal {
                try await target.prepare(TableSchema(String(repeating: "a", count: 255), ("id", .string)))
            }?
            .description.contains("255 bytes") == true)
        for (other, words) in [
            ("_shake_positions", "_shake_"), ("system.users", "system."), ("a$b", "$"), (".a", "dot"),
        ] {
            let target = try await bench.opened(.refuse, [("tables/people", other)])
            let error = await MongoBench.refusal { try await target.prepare(.people) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    @Test("Two tables in one collection are refused, before anything in it is touched")
    func shared() async throws {
        let bench = try bench()
        let target = try await bench.opened(.replace, [("tables/people", "eu_shop.orders-2026"), ("prefix", "eu_")])
        try await target.prepare(.people)
        _ = try await target.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        let words = "people and \(TableSchema.orders.name)"
        for error in [
            await MongoBench.refusal { _ = try await target.begin(TableSchema.orders.name) },
            await MongoBench.refusal { try await target.prepare(.orders) },
        ] {
            #expect(error?.isRetryable == false && error?.description.contains(words) == true)
        }
        #expect(try await target.survey(.orders).unfit?.contains(words) == true)
        #expect(try bench.documents("eu_shop.orders-2026").count == 1)
    }

    @Test("says what lies in a database that is not open yet, and takes nothing over for it")
    func surveyed() async throws {
        let bench = try bench()
        #expect(try await bench.make().survey(.people).contents == .missing)
        try bench.ask(#"{"insert":"people","documents":[{"_id":"ann"}]}"#)
        #expect(try await bench.make().survey(.people).contents == .filled)
        let names = try bench.client().list(Commands.collections(), in: bench.database).compactMap { $0["name"]?.text }
        #expect(names == ["people"])
    }

    @Test("reads of the primary, whatever the URL prefers")
    func readPreference() async throws {
        // Of which there is no other: who asks a secondary waits in vain.
        let parameters = "readPreference=secondary&serverSelectionTimeoutMS=5000"
        let bench = try bench()
        let target = try await bench.opened(parameters: parameters)
        try await target.prepare(.people)
        _ = try await target.write([Feed.batch(.people, first: 7, [.insert(keys: Self.ann, new: Self.ann)])])
        _ = try await target.write([Feed.scan(.people, [Self.bob])])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(7)])
        #expect(try await target.scanPositions(of: TableSchema.people.name).count == 1)
        let keys = try #require(try await target.keys(of: .people, after: nil, limit: 9))
        #expect(try await target.items(under: keys, of: .people)?.compactMap(\.self).count == 2)
        #expect(try await target.survey(.people).contents == .filled)
        try await bench.make(parameters: parameters).openBeside()
    }

    // MARK: Indexes

    @Test("makes the source's secondary indexes, once, and leaves alone what serves as one")
    func indexes() async throws {
        let bench = try bench()
        let target = try await bench.opened()
        #expect(target.copiesDesign)
        let design = TableDesign(indexes: [
            SecondaryIndex(
                name: "by-status", scope: .global(nil), hash: KeyAttribute(name: Array("status".utf8), type: .string),
                range: KeyAttribute(name: Array("at".utf8), type: .number), projection: .all),
            SecondaryIndex(
                name: "by-total", scope: .local, hash: KeyAttribute(name: Array("id".utf8), type: .string),
                range: KeyAttribute(name: Array("total".utf8), type: .number), projection: .keysOnly),
        ])
        try bench.ask(
            #"{"createIndexes":"people","indexes":[{"name":"mine","key":{"id.S":{"$numberDouble":"1"},"total.N":1}}]}"#)
        for _ in 1...2 { try await target.prepare(.people, like: design) }
        let made = try bench.client().list(Commands.indexes(of: "people"), in: bench.database)
        #expect(Set(made.compactMap { $0["name"]?.text }) == ["_id_", "mine", "by-status"])
        #expect(
            made.first { $0["name"]?.text == "by-status" }?["key"]?.document?.names == [
                Array("status.S".utf8), Array("at.N".utf8),
            ])

        try bench.ask(#"{"createIndexes":"other","indexes":[{"name":"by-status","key":{"x":1}}]}"#)
        let error = await MongoBench.refusal {
            try await target.prepare(TableSchema("other", ("id", .string)), like: design)
        }
        #expect(error?.description.contains("by-status on other fields") == true, "\(String(describing: error))")
    }

    @Test("NimoShake's collections get a unique index on the key, and one that holds a key twice is refused")
    func unique() async throws {
        let bench = try bench()
        let target = try await bench.opened(.append, [("format", "change")])
        try await target.prepare(.people)
        let made = try bench.client().list(Commands.indexes(of: "people"), in: bench.database)
        #expect(made.contains { $0["unique"] == .bool(true) && $0["key"]?.document?.names == [Array("id".utf8)] })
        try bench.ask(#"{"insert":"twice","documents":[{"id":"ann"},{"id":"ann"}]}"#)
        let error = await MongoBench.refusal { try await target.prepare(TableSchema("twice", ("id", .string))) }
        #expect(error?.description.contains("two documents of one key") == true, "\(String(describing: error))")
        try bench.ask(#"{"createIndexes":"loose","indexes":[{"name":"id_1","key":{"id":1}}]}"#)
        #expect(
            await MongoBench.refusal { try await target.prepare(TableSchema("loose", ("id", .string))) }?.description
                .contains("not unique") == true)
    }

    // MARK: Formats

    @Test(
        "keeps items in each format, gives back what it says that it keeps, and lists and removes them",
        arguments: DocumentFormat.Layout.allCases, [Mongo.replicaSet, .standalone])
    func formats(layout: DocumentFormat.Layout, server: Mongo) async throws {
        let bench = try bench(server)
        let target = try await bench.opened(.refuse, [("format", layout.rawValue)])
        try await target.prepare(.orders)
        func keys(_ number: Int) -> String { #"{"customer":{"S":"a.$b\u0000"},"number":{"N":"\#(number)"}}"# }
        func item(_ number: Int, _ total: String) -> String {
            #"{"customer":{"S":"a.$b\u0000"},"number":{"N":"\#(number)"},"total":{"N":"\#(total)"},"tags":{"SS":["b","a"]},"_id":{"S":"x"}}"#
        }
        for version in 1...2 {
            _ = try await target.write([
                Feed.batch(
                    .orders, first: version * 10, (1...5).map { .insert(keys: keys($0), new: item($0, "\(version).5")) }
                )
            ])
        }
        #expect(try bench.documents("shop.orders-2026").count == 5)
        var listed: [CanonicalKey] = []
        while let page = try await target.keys(of: .orders, after: listed.last, limit: 2), !page.isEmpty {
            listed += page
        }
        #expect(Set(listed).count == 5 && listed.count == 5)
        let read = try #require(try await target.items(under: listed, of: .orders))
        var held: Set<WireValue> = []
        for one in read { held.insert(try .item(Data(try #require(one)))) }
        let expected = try (1...5).map { number -> WireValue in
            let text = item(number, "2.5")
            // A set without its type is a list.
            return try .item(
                layout.hasTypes
                    ? text : text.replacingOccurrences(of: #"{"SS":["b","a"]}"#, with: #"{"L":[{"S":"a"},{"S":"b"}]}"#))
        }
        #expect(held == Set(expected))
        _ = try await target.write([Batch.sweep(Array(listed.prefix(4)), of: .orders, FullSyncID(1))])
        #expect(try bench.documents("shop.orders-2026").count == 1)
    }

    // MARK: Records that are refused

    @Test(
        "names the one bad record among 25, and takes the others without it", arguments: [0, 12, 24],
        [Mongo.replicaSet, .standalone])
    func oneBad(place: Int, server: Mongo) async throws {
        let bench = try bench(server)
        let target = try await bench.opened()
        try await target.prepare(.people)
        // Somebody's own unique index, in which one of them has what another document has already.
        try bench.ask(#"{"createIndexes":"people","indexes":[{"name":"v","key":{"v.S":1},"unique":true}]}"#)
        let taken = #"{"id":{"S":"first"},"v":{"S":"taken"}}"#
        _ = try await target.write([Feed.batch(.people, [.insert(keys: #"{"id":{"S":"first"}}"#, new: taken)])])
        let entries = (0..<25).map { number -> Feed.Entry in
            let value = number == place ? "taken" : "x\(number)"
            return .insert(
                keys: #"{"id":{"S":"p\#(number)"}}"#, new: #"{"id":{"S":"p\#(number)"},"v":{"S":"\#(value)"}}"#)
        }
        let batch = Feed.batch(.people, first: 10, entries)
        let error = await MongoBench.refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, let what, _, let change?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change.sequenceNumber == Feed.number(10 + place))
        #expect(what.contains(Feed.number(10 + place).text))
        if server == .replicaSet { #expect(try bench.documents("people").count == 1, "nothing of a write that failed") }
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(1)])
        _ = try await target.write([batch.without(change)])
        #expect(try bench.documents("people").count == 25)
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(34)])
    }

    @Test("names a record whose number the format can't hold, before anything is sent")
    func inexact() async throws {
        let bench = try bench()
        let target = try await bench.opened(.refuse, [("format", "plain")])
        try await target.prepare(.people)
        let item = #"{"id":{"S":"bob"},"n":{"N":"12345678901234567890123456789012345678"}}"#
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann), .insert(keys: Self.bob, new: item)])
        let error = await MongoBench.refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, _, let reason, let change?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change.sequenceNumber == Feed.number(2) && reason.contains("the attribute n"))
        #expect(try bench.documents("people").isEmpty)
    }

    // MARK: Order

    @Test(
        "Without transactions an older change of a shard never goes over a newer one; another epoch, another shard and a scan do"
    )
    func guarded() async throws {
        let bench = try bench(.standalone)
        let target = try await bench.opened()
        try await target.prepare(.people)
        func write(_ value: Int?, at number: Int, epoch: UInt64 = 0, shard: String = "shardId-1") async throws {
            let entry: Feed.Entry =
                value.map { .modify(keys: Self.ann, old: nil, new: #"{"id":{"S":"ann"},"v":{"N":"\#($0)"}}"#) }
                ?? .remove(keys: Self.ann)
            _ = try await target.write([
                Feed.batch(
                    .people, shard: Feed.key(of: .people, shard: shard), epoch: Epoch(epoch), first: number, [entry])
            ])
        }
        func held() throws -> Int64? { try bench.documents("people").first?["v", "N"]?.integer }
        try await write(1, at: 10)
        try await write(2, at: 9)
        #expect(try held() == 1)
        try await write(nil, at: 8)
        #expect(try held() == 1)
        try await write(3, at: 9, epoch: 1)
        #expect(try held() == 3, "the shard was rewound")
        try await write(6, at: 8)
        #expect(try held() == 6, "the journal was restored from before the rewind")
        try await write(7, at: 7)
        try await write(nil, at: 7)
        #expect(try held() == 6, "within an epoch the number decides")
        try await write(nil, at: 2, epoch: 3)
        try await write(8, at: 9, epoch: 3)
        try await write(nil, at: 1, epoch: 2)
        #expect(try bench.documents("people").isEmpty, "of an older epoch is a removal, too")
        try await write(3, at: 9, epoch: 2)
        try await write(4, at: 1, shard: "shardId-2")
        #expect(try held() == 4)
        _ = try await target.write([Feed.scan(.people, [#"{"id":{"S":"ann"},"v":{"N":"5"}}"#])])
        #expect(try held() == 5)
        try await write(nil, at: 12)
        #expect(try bench.documents("people").isEmpty)
    }

    @Test(
        "A writer that another one has taken over from writes nothing more, and says so",
        arguments: [Mongo.replicaSet, .standalone])
    func fenced(server: Mongo) async throws {
        let bench = try bench(server)
        let first = try await bench.opened()
        try await first.prepare(.people)
        let second = try await bench.opened()
        try await second.prepare(.people)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        let error = await MongoBench.refusal { _ = try await first.write([batch]) }
        guard case .misconfigured(_, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("another daemon has taken over"))
        #expect(try bench.documents("people").isEmpty)
        _ = try await second.write([batch])
        #expect(try bench.documents("people").count == 1)
        let beside = try bench.make()
        try await beside.openBeside()
        try await beside.prepare(.people)
        _ = try await beside.write([Feed.scan(.people, [#"{"id":{"S":"cat"}}"#])])
        _ = try await second.write([Feed.batch(.people, first: 2, [.insert(keys: Self.bob, new: Self.bob)])])
        #expect(try bench.documents("people").count == 3, "who compares takes nothing over")
    }
}
