import MongoC
import StreamModel
import Targets
import Testing

@testable import MongoDBTarget

/// What libmongoc, or a server, would tell of one thing only. Each test has a stand-in of its own: a fail point is the whole server's.
@Suite("A MongoDB target, when two things go wrong at once")
struct MongoDBDoubleFaultTests {
    private static let ann = MongoBench.ann
    private static let bob = MongoBench.bob
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    // MARK: A refusal beside what was not done

    /// Without transactions: bob is there, and of ann a later change than comes next, so that the server refuses this for its `_id`.
    private func opened(_ bench: MongoBench) async throws -> any Target {
        let target = try await bench.opened(parameters: MongoDBFaultTests.hasty)
        try await target.prepare(.people)
        _ = try await target.write([
            Feed.batch(
                .people, first: 10, [.insert(keys: Self.ann, new: Self.ann), .insert(keys: Self.bob, new: Self.bob)])
        ])
        return target
    }

    private static let later = Feed.key(of: .people, shard: "shardId-2")

    /// An older change of ann, which is to be passed over, and one of another shard beside it.
    private static func write(_ entry: Feed.Entry) -> [Batch] {
        [
            Feed.batch(.people, first: 5, [.modify(keys: ann, old: nil, new: #"{"id":{"S":"ann"},"v":{"N":"0"}}"#)]),
            Feed.batch(.people, shard: later, first: 20, [entry]),
        ]
    }

    private static func hasMoved(_ target: any Target) async throws -> Bool {
        try await target.positions(of: TableSchema.people.name).contains { $0.shard == later }
    }

    @Test("A removal whose connection was lost behind a refusal counts as not done")
    func lostRemoval() async throws {
        let server = try MongoDBFaultTests.server(.standalone)
        let bench = MongoBench(server.url, scratch)
        let target = try await opened(bench)
        try bench.fail(#""delete""#, times: 9, #""closeConnection":true"#)
        let batches = Self.write(.remove(keys: Self.bob))
        let error = await MongoBench.refusal { _ = try await target.write(batches) }
        #expect(error?.isRetryable == true, "\(String(describing: error))")
        #expect(try await !Self.hasMoved(target), "a position is never ahead of the data")

        try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")
        try await MongoBench.persisting { _ = try await target.write(batches) }
        #expect(try bench.items() == [try .item(Self.ann)])
        #expect(try await Self.hasMoved(target))
    }

    @Test("A write that no majority has acknowledged counts as not done, also where another one was refused")
    func writeConcern() async throws {
        let server = try MongoDBFaultTests.server(.standalone)
        let bench = MongoBench(server.url, scratch)
        let target = try await opened(bench)
        try bench.fail(
            #""update""#, times: 9,
            #""namespace":"\#(bench.database).people","writeConcernError":{"code":64,"errmsg":"waiting for replication timed out"}"#
        )
        let cat = #"{"id":{"S":"cat"}}"#
        let batches = Self.write(.insert(keys: cat, new: cat))
        let error = await MongoBench.refusal { _ = try await target.write(batches) }
        #expect(error?.isRetryable == true, "\(String(describing: error))")
        #expect(error?.description.contains("waiting for replication timed out") == true)
        #expect(try await !Self.hasMoved(target))

        try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")
        try await MongoBench.persisting { _ = try await target.write(batches) }
        #expect(try bench.items() == [try .item(Self.ann), try .item(Self.bob), try .item(cat)])
        #expect(try await Self.hasMoved(target))
    }

    // MARK: Bulks of several commands

    /// Four replacements, of which one is refused, that the server takes two at a time.
    private func bulk(_ bench: MongoBench, refusing place: Int) throws -> [Bulk.Refusal] {
        try bench.ask(#"{"create":"people","validator":{"v":{"$ne":"refused"}}}"#)
        return try execute(bench, (0..<4).map { $0 == place ? "refused" : "x" })
    }

    private func execute(_ bench: MongoBench, _ values: [String]) throws(MongoError) -> [Bulk.Refusal] {
        let client = try MongoPool(MongoSettings(url: "\(bench.url)?\(MongoDBFaultTests.hasty)")).client()
        var bulk = try Bulk(client, bench.database, "people", isDurable: true, limit: 1000)
        for (number, value) in values.enumerated() {
            let filter = Commands.equal("_id", "p\(number)")
            try bulk.replace(
                filter,
                with: Document { writer in
                    writer.name("v")
                    writer.string(value)
                })
        }
        return try bulk.execute()
    }

    @Test("A bulk of several commands says of each refusal which of its writes it was", arguments: 0..<4)
    func places(place: Int) throws {
        let server = try MongoDBFaultTests.server(.standalone, "--max-batch", "2")
        let bench = MongoBench(server.url, scratch)
        let refusals = try bulk(bench, refusing: place)
        #expect(refusals.map(\.index) == [place] && refusals.map(\.error.code) == [121])
        #expect(try bench.documents("people").count == 3)
    }

    @Test("Replacements whose connection was lost behind a refusal are not passed over")
    func lostReplacements() throws {
        let server = try MongoDBFaultTests.server(.standalone, "--max-batch", "2")
        let bench = MongoBench(server.url, scratch)
        try bench.fail(#""update""#, skip: 1, #""closeConnection":true"#)
        let error = #expect(throws: MongoError.self) { try bulk(bench, refusing: 0) }
        #expect(error?.isConnectionLost == true, "\(String(describing: error))")
        #expect(try bench.documents("people").count == 1, "of the first two one was taken, of the others none")
    }

    // MARK: Answers that can't be read

    @Test("A refusal that can't be read is said to be that, and is no refusal of all")
    func unreadableRefusal() throws {
        let server = try MongoDBFaultTests.server(.standalone)
        let bench = MongoBench(server.url, scratch)
        try bench.fail(#""update""#, times: 1, #""unreadable":true"#)
        let error = #expect(throws: MongoError.self) { try bulk(bench, refusing: 0) }
        #expect(
            error?.description.contains("the answer can't be read: a text is no UTF-8") == true,
            "\(String(describing: error))")
    }

    @Test("A failure keeps its number and what a driver may do, where the rest of the answer can't be read")
    func unreadableFailure() throws {
        let server = try MongoDBFaultTests.server(.standalone)
        let bench = MongoBench(server.url, scratch)
        try bench.fail(
            #""find""#, times: 1, #""errorCode":112,"errorLabels":["TransientTransactionError"],"unreadable":true"#)
        let error = #expect(throws: MongoError.self) { try bench.ask(#"{"find":"people"}"#) }
        #expect(error?.code == 112 && error?.isTransient == true, "\(String(describing: error))")
    }

    @Test(
        "stops where an answer that it needs can't be read, with what to do",
        arguments: [MongoDBFaultTests.Topology.replicaSet, .sharded])
    func unreadable(topology: MongoDBFaultTests.Topology) async throws {
        let server = try MongoDBFaultTests.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: MongoDBFaultTests.hasty)
        // The record of the table, the list of the collections, and the fence: of none it can be told what was done.
        func check(_ commands: String, _ body: () async throws -> Void) async throws {
            try bench.fail(commands, times: 1, #""unreadable":true"#)
            let error = await MongoBench.refusal(body)
            guard case .misconfigured(_, let reason) = error else {
                Issue.record("\(commands): \(String(describing: error))")
                return
            }
            #expect(reason.contains("the answer can't be read") && reason.contains("UTF-8"), "\(reason)")
        }
        try await check(#""update""#) { try await target.prepare(.people) }
        try await check(#""listCollections""#) { _ = try await target.survey(.people) }
        try await target.prepare(.people)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        try await check(#""update""#) { _ = try await target.write([batch]) }
        #expect(try bench.documents("people").isEmpty)

        // Whether it was done is said apart from the answer.
        try bench.fail(#""commitTransaction""#, times: 1, #""unreadable":true"#)
        _ = try await target.write([batch])
        #expect(try bench.items() == [try .item(Self.ann)])
    }
}
