import Foundation
import StreamModel
import Targets
import Testing

/// What every target must hold to. A new target joins by a case of `Candidate`.
@Suite("Every target")
struct Conformance {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private static let bob = #"{"id":{"S":"bob"}}"#

    private static func item(_ id: String, _ rest: String) -> String { #"{"id":{"S":"\#(id)"},\#(rest)}"# }

    // MARK: Changes

    @Test(
        "An item that is inserted, then modified, is held as it was last; removed, it is gone",
        arguments: Candidate.allCases)
    func changes(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let (young, old) = (Self.item("ann", #""age":{"N":"1"}"#), Self.item("ann", #""age":{"N":"2"}"#))

        try await daemon.write(Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: young)]))
        #expect(try await daemon.holds(exactly: [young], of: .people))
        try await daemon.write(Feed.batch(.people, first: 2, [.modify(keys: Self.ann, old: young, new: old)]))
        #expect(try await daemon.holds(exactly: [old], of: .people))
        try await daemon.write(Feed.batch(.people, first: 3, [.remove(keys: Self.ann, old: old)]))
        #expect(try await daemon.holds(exactly: [], of: .people))
    }

    @Test("A modified item loses the attributes that its new image lacks", arguments: Candidate.allCases)
    func replaced(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let (full, bare) = (Self.item("ann", #""age":{"N":"1"}"#), Self.ann)
        try await daemon.write(Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: full)]))
        try await daemon.write(Feed.batch(.people, first: 2, [.modify(keys: Self.ann, old: nil, new: bare)]))
        #expect(try await daemon.holds(exactly: [bare], of: .people))
    }

    @Test("Of many changes to a key within one batch and second, the last one stays", arguments: Candidate.allCases)
    func lastWins(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let states = (1...5).map { Self.item("ann", #""age":{"N":"\#($0)"}"#) }
        try await daemon.write(
            Feed.batch(
                .people,
                [.insert(keys: Self.ann, new: states[0]), .insert(keys: Self.bob, new: Self.bob)]
                    + states.dropFirst().map { .modify(keys: Self.ann, old: nil, new: $0) }
                    + [.remove(keys: Self.bob)]))
        #expect(try await daemon.holds(exactly: [states[4]], of: .people))
    }

    @Test("An item that was removed and inserted again within one batch is held", arguments: Candidate.allCases)
    func insertedAgain(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: Self.ann)]))
        try await daemon.write(
            Feed.batch(.people, first: 2, [.remove(keys: Self.ann), .insert(keys: Self.ann, new: Self.ann)]))
        #expect(try await daemon.holds(exactly: [Self.ann], of: .people))
    }

    @Test("Removing what is not there is no error", arguments: Candidate.allCases)
    func removeNothing(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(Feed.batch(.people, [.remove(keys: Self.ann), .insert(keys: Self.bob, new: Self.bob)]))
        #expect(try await daemon.holds(exactly: [Self.bob], of: .people))
    }

    @Test("A batch that is applied again leaves the same items", arguments: Candidate.allCases)
    func replay(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let batch = Feed.batch(
            .people,
            [
                .insert(keys: Self.ann, new: Self.item("ann", #""age":{"N":"1"}"#)),
                .insert(keys: Self.bob, new: Self.bob),
                .modify(keys: Self.ann, old: nil, new: Self.item("ann", #""age":{"N":"2"}"#)),
                .remove(keys: Self.bob),
            ])
        try await daemon.write(batch)
        try await daemon.write(batch)
        #expect(try await daemon.holds(exactly: [Self.item("ann", #""age":{"N":"2"}"#)], of: .people))
    }

    @Test("A batch without a change is no error", arguments: Candidate.allCases)
    func emptyBatch(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: Self.ann)]))
        try await daemon.write(Feed.batch(.people, first: 2, []))
        try await daemon.write([])
        try await daemon.restart()
        #expect(try await daemon.holds(exactly: [Self.ann], of: .people))
    }

    // MARK: Values

    @Test("Every value comes through exactly", arguments: Candidate.allCases, Values.all)
    func values(candidate: Candidate, value: Values.Named) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let item = Self.item("ann", #""value":\#(value.json)"#)
        try await daemon.write(Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: item)]))
        #expect(try await daemon.holds(exactly: [item], of: .people))
        try await daemon.write(Feed.scan(.people, [item]))
        #expect(try await daemon.holds(exactly: [item], of: .people))
    }

    @Test("Attribute names come through whatever they hold, and twins stay two", arguments: Candidate.allCases)
    func names(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let names = [
            #"a.b"#, #"$set"#, #"\"quoted\""#, #"it's"#, #"back\\slash"#, #"line\nbreak"#, #"nul\u0000inside"#, " ", "",
            "\u{E9}", "e\u{301}", "select", "_id", "aws:rep:updatetime", "🦑", #"\ud83e\udd91!"#,
        ]
        let attributes = names.filter { candidate.takesEmptyNames || !$0.isEmpty }.enumerated().map { #""\#($1)":{"N":"\#($0)"}"# }
        let item = Self.item("ann", attributes.joined(separator: ","))
        try await daemon.write(Feed.batch(.people, [.insert(keys: Self.ann, new: item)]))
        #expect(try await daemon.holds(exactly: [item], of: .people))
    }

    @Test("An item of 400 KB comes through", arguments: Candidate.allCases)
    func largeItem(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let item = Self.item("ann", #""text":{"S":"\#(String(repeating: "0123456789abcdé", count: 25_000))"}"#)
        try await daemon.write(Feed.batch(.people, [.insert(keys: Self.ann, new: item)]))
        #expect(try await daemon.holds(exactly: [item], of: .people))
    }

    @Test("An image that came with line breaks between its tokens comes through", arguments: Candidate.allCases)
    func lineBreaks(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let item = "{\r\n  \"id\" : {\n\"S\":\n\"ann\"\n}\n,\"l\":{\"L\":[\n]}\n}"
        try await daemon.write(
            Feed.batch(.people, first: 1, [.insert(keys: "{\n\"id\":\r{\"S\":\"ann\"}}", new: item)]))
        try await daemon.write(Feed.scan(.people, [item]))
        #expect(try await daemon.holds(exactly: [item], of: .people))
    }

    // MARK: Keys

    @Test("Keys that differ in one byte are two items", arguments: Candidate.allCases, Keys.different)
    func differentKeys(candidate: Candidate, keys: Keys.Pair) async throws {
        var daemon = try await Daemon(candidate, [keys.table])
        try await daemon.write(
            Feed.batch(
                keys.table, [.insert(keys: keys.one, new: keys.one), .insert(keys: keys.other, new: keys.other)]))
        #expect(try await daemon.holds(exactly: [keys.one, keys.other], of: keys.table))
        try await daemon.write(Feed.batch(keys.table, first: 3, [.remove(keys: keys.one)]))
        #expect(try await daemon.holds(exactly: [keys.other], of: keys.table))
    }

    @Test("Two spellings of one key are one item", arguments: Candidate.allCases, Keys.same)
    func sameKeys(candidate: Candidate, keys: Keys.Pair) async throws {
        var daemon = try await Daemon(candidate, [keys.table])
        try await daemon.write(Feed.batch(keys.table, first: 1, [.insert(keys: keys.one, new: keys.one)]))
        try await daemon.write(Feed.batch(keys.table, first: 2, [.modify(keys: keys.other, old: nil, new: keys.other)]))
        #expect(try await daemon.items(of: keys.table).count == 1)
        try await daemon.write(Feed.batch(keys.table, first: 3, [.remove(keys: keys.one)]))
        #expect(try await daemon.holds(exactly: [], of: keys.table))
    }

    // MARK: Several batches

    @Test("One write carries batches of several shards and tables", arguments: Candidate.allCases)
    func severalShards(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people, .orders])
        let order = #"{"customer":{"S":"ann"},"number":{"N":"7"}}"#
        try await daemon.write([
            Feed.batch(
                .people, shard: Feed.key(of: .people, shard: "shardId-1"), [.insert(keys: Self.ann, new: Self.ann)]),
            Feed.batch(.orders, [.insert(keys: order, new: order)]),
            Feed.batch(
                .people, shard: Feed.key(of: .people, shard: "shardId-2"), [.insert(keys: Self.bob, new: Self.bob)]),
            Feed.batch(
                .people, shard: Feed.key(of: .people, shard: "shardId-1"), first: 2,
                [.modify(keys: Self.ann, old: nil, new: Self.item("ann", #""age":{"N":"9"}"#))]),
        ])
        #expect(try await daemon.holds(exactly: [Self.item("ann", #""age":{"N":"9"}"#), Self.bob], of: .people))
        #expect(try await daemon.holds(exactly: [order], of: .orders))
    }

    @Test("Tables that hold equal keys are kept apart", arguments: Candidate.allCases)
    func tablesApart(candidate: Candidate) async throws {
        let other = TableSchema("people.archive", ("id", .string))
        var daemon = try await Daemon(candidate, [.people, other])
        let archived = Self.item("ann", #""archived":{"BOOL":true}"#)
        try await daemon.write([
            Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)]),
            Feed.batch(other, [.insert(keys: Self.ann, new: archived)]),
        ])
        try await daemon.write([Feed.batch(.people, first: 2, [.remove(keys: Self.ann)])])
        #expect(try await daemon.holds(exactly: [], of: .people))
        #expect(try await daemon.holds(exactly: [archived], of: other))
    }

    @Test("A batch of several pages is applied in their order", arguments: Candidate.allCases)
    func severalPages(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let states = (1...3).map { Self.item("ann", #""age":{"N":"\#($0)"}"#) }
        let parts = states.enumerated().map { Feed.part([.modify(keys: Self.ann, old: nil, new: $1)], first: $0 + 1) }
        let origin = Batch.Origin.shard(Feed.key(of: .people), epoch: .first, upTo: Feed.number(3))
        try await daemon.write(Batch(table: .people, origin: origin, parts: parts))
        #expect(try await daemon.holds(exactly: [states[2]], of: .people))
    }

    // MARK: Scans

    @Test("Rows of a scan are held, and changes after it apply to them", arguments: Candidate.allCases)
    func scanThenStream(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write([
            Feed.scan(.people, segment: 0, [Self.ann]), Feed.scan(.people, segment: 1, [Self.bob]),
        ])
        #expect(try await daemon.holds(exactly: [Self.ann, Self.bob], of: .people))
        let older = Self.item("ann", #""age":{"N":"2"}"#)
        try await daemon.write(
            Feed.batch(.people, [.modify(keys: Self.ann, old: nil, new: older), .remove(keys: Self.bob)]))
        #expect(try await daemon.holds(exactly: [older], of: .people))
    }

    // MARK: Recovery

    @Test(
        "What was written before a crash, and journaled or not, is held once it was recovered",
        arguments: Candidate.allCases)
    func crash(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let states = (1...3).map { Self.item("ann", #""age":{"N":"\#($0)"}"#) }
        let journaled = Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: states[0])])
        let lost = Feed.batch(
            .people, first: 2,
            [.modify(keys: Self.ann, old: nil, new: states[1]), .insert(keys: Self.bob, new: Self.bob)])
        try await daemon.write(journaled)
        try await daemon.write(lost, dyingBeforeTheAppend: true)

        try await daemon.restart()
        if try await !daemon.holds(lost) { try await daemon.write(lost) }
        try await daemon.write(Feed.batch(.people, first: 4, [.modify(keys: Self.ann, old: nil, new: states[2])]))

        #expect(try await daemon.holds(exactly: [states[2], Self.bob], of: .people))
    }

    @Test("A crash between the first write of all and its append needs no human", arguments: Candidate.allCases)
    func firstCrash(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let first = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        for _ in 1...3 {
            try await daemon.write(first, dyingBeforeTheAppend: true)
            try await daemon.dieAndRestart()
        }
        if try await !daemon.holds(first) { try await daemon.write(first) }
        try await daemon.restart()
        #expect(try await daemon.holds(exactly: [Self.ann], of: .people))
    }

    @Test(
        "A target that stores positions says how far it holds each shard, in which epoch", arguments: Candidate.allCases
    )
    func positions(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people, .orders])
        let (one, two) = (Feed.key(of: .people, shard: "shardId-1"), Feed.key(of: .people, shard: "shardId-2"))
        try await daemon.write([
            Feed.batch(.people, shard: one, first: 1, [.insert(keys: Self.ann, new: Self.ann)]),
            Feed.batch(.people, shard: two, epoch: Epoch(3), first: 8, [.insert(keys: Self.bob, new: Self.bob)]),
        ])
        try await daemon.write(Feed.batch(.people, shard: one, epoch: Epoch(1), first: 1, [.remove(keys: Self.ann)]))
        try await daemon.write(Feed.scan(.people, [Self.ann]))
        try await daemon.restart()

        let positions = Set(try await daemon.target.positions(of: .init("people")))
        let expected: Set = [
            ShardPosition(shard: one, epoch: Epoch(1), sequenceNumber: Feed.number(1)),
            ShardPosition(shard: two, epoch: Epoch(3), sequenceNumber: Feed.number(8)),
        ]
        #expect(positions == (daemon.target.storesPositions ? expected : []))
        #expect(try await daemon.target.positions(of: .init("shop.orders-2026")).isEmpty)
    }

    @Test(
        "A change of another epoch goes over a row and removes it, also one of an older epoch: so goes on a journal from a backup",
        arguments: Candidate.allCases)
    func olderEpoch(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        let states = (1...3).map { Self.item("ann", #""age":{"N":"\#($0)"}"#) }
        try await daemon.write(
            Feed.batch(
                .people, epoch: Epoch(3), first: 50,
                [
                    .insert(keys: Self.ann, new: states[0]), .insert(keys: Self.bob, new: Self.bob),
                    .insert(keys: #"{"id":{"S":"cat"}}"#, new: #"{"id":{"S":"cat"}}"#),
                ]))
        try await daemon.restart()
        // The same shard as before the rewind that began epoch 3; what comes is what is newest.
        try await daemon.write(
            Feed.batch(
                .people, epoch: Epoch(2), first: 40,
                [.modify(keys: Self.ann, old: nil, new: states[1]), .remove(keys: Self.bob)]))
        #expect(
            try await daemon.holds(exactly: [states[1], #"{"id":{"S":"cat"}}"#], of: .people))
        try await daemon.write(
            Feed.batch(
                .people, epoch: Epoch(2), first: 60,
                [.modify(keys: Self.ann, old: nil, new: states[2]), .remove(keys: #"{"id":{"S":"cat"}}"#)]))
        #expect(try await daemon.holds(exactly: [states[2]], of: .people))
        let position = try await daemon.target.positions(of: TableSchema.people.name)
        let expected = ShardPosition(
            shard: Feed.key(of: .people), epoch: Epoch(2), sequenceNumber: Feed.number(61))
        #expect(position == (daemon.target.storesPositions ? [expected] : []))
    }

    @Test("Preparing a table again, also after a restart, changes nothing", arguments: Candidate.allCases)
    func preparedAgain(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)]))
        try await daemon.target.prepare(.people)
        try await daemon.restart()
        #expect(try await daemon.holds(exactly: [Self.ann], of: .people))
    }

    @Test("One token comes back for each batch, in order, or none", arguments: Candidate.allCases)
    func tokens(candidate: Candidate) async throws {
        let daemon = try await Daemon(candidate, [.people])
        let batches = (1...3).map { Feed.batch(.people, first: $0, [.insert(keys: Self.ann, new: Self.ann)]) }
        let tokens = try await daemon.target.write(batches)
        #expect(tokens.count == 3)
        #expect(Set(tokens).count == (tokens.contains(nil) ? 1 : 3))
    }

    // MARK: Comparing

    @Test(
        "A target that keeps state gives each item back as it was written, and nothing where it has none",
        arguments: Candidate.allCases)
    func readBack(candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people, .orders])
        let values = Values.all.enumerated().map { Self.item("v\($0)", #""value":\#($1.json)"#) }
        let order = #"{"customer":{"S":"a\u0000b"},"number":{"N":"1E2"},"a\u001a\u0000":{"S":"\\u0000\u001a0"}}"#
        try await daemon.write(
            Feed.batch(
                .people, first: 1,
                values.enumerated().map { .insert(keys: #"{"id":{"S":"v\#($0)"}}"#, new: $1) }))
        try await daemon.write(Feed.batch(.orders, [.insert(keys: order, new: order)]))
        let keys = values.indices.map { CanonicalKey(hash: Array("v\($0)".utf8), range: nil) }
        let missing = CanonicalKey(hash: Array("nobody".utf8), range: nil)
        let items = try await daemon.target.items(under: [missing] + keys.reversed(), of: .people)
        guard let items else {
            #expect(!candidate.keepsState)
            return
        }
        #expect(items.first == .some(nil))
        #expect(items.count == keys.count + 1)
        for (item, written) in zip(items.dropFirst(), values.reversed()) {
            #expect(try item.map { try WireValue.item(Data($0)) } == (try WireValue.item(written)))
        }
        let ordered = try await daemon.target.items(
            under: [CanonicalKey(hash: [0x61, 0, 0x62], range: Array("100".utf8))], of: .orders)
        #expect(try ordered?.first?.map { try WireValue.item(Data($0)) } == (try WireValue.item(order)))
    }

    @Test("A repair writes and removes rows, and moves no position", arguments: Candidate.allCases)
    func repair(candidate: Candidate) async throws {
        guard candidate.keepsState else { return }
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(
            Feed.batch(
                .people, first: 5, [.insert(keys: Self.ann, new: Self.ann), .insert(keys: Self.bob, new: Self.bob)]))
        let positions = Set(try await daemon.target.positions(of: TableSchema.people.name))
        let mended = Self.item("ann", #""age":{"N":"7"}"#)
        let gone = Batch.sweep([CanonicalKey(hash: Array("bob".utf8), range: nil)], of: .people, FullSyncID(0))
        try await daemon.write(
            Batch(table: .people, origin: .repair, parts: [Feed.part([.snapshot(mended)], first: 1)] + gone.parts))
        #expect(try await daemon.holds(exactly: [mended], of: .people))
        #expect(Set(try await daemon.target.positions(of: TableSchema.people.name)) == positions)
        try await daemon.write(
            Feed.batch(.people, first: 7, [.modify(keys: Self.ann, old: nil, new: Self.ann)]))
        #expect(try await daemon.holds(exactly: [Self.ann], of: .people), "the stream goes on over it")
    }

    // MARK: Sweeps

    @Test(
        "A target that lists its rows names each key once, page by page, and removes what it is told to",
        arguments: Candidate.allCases, Keys.different)
    func listed(candidate: Candidate, keys: Keys.Pair) async throws {
        var daemon = try await Daemon(candidate, [keys.table])
        let (table, sync) = (keys.table, FullSyncID(7))
        #expect(try await daemon.target.keys(of: table, after: nil, limit: 10)?.isEmpty != false)
        try await daemon.write(
            Feed.batch(table, [.insert(keys: keys.one, new: keys.one), .insert(keys: keys.other, new: keys.other)]))
        guard let first = try await daemon.target.keys(of: table, after: nil, limit: 1) else {
            #expect(!candidate.keepsState, "what is only appended to can't say what is left")
            return
        }
        let second = try #require(try await daemon.target.keys(of: table, after: first.last, limit: 1))
        #expect((first.count, second.count) == (1, 1))
        #expect(first != second)
        #expect(try await daemon.target.keys(of: table, after: second.last, limit: 1) == [])
        #expect(try await daemon.target.keys(of: table, after: nil, limit: 10) == first + second)

        try await daemon.write(Batch.sweep(first, of: table, sync))
        #expect(try await daemon.target.keys(of: table, after: nil, limit: 10) == second)
        #expect(
            try await daemon.target.keys(of: table, after: first.last, limit: 10) == second, "from a row that is gone")
        #expect(try await daemon.items(of: table).count == 1)
        try await daemon.write(Batch.sweep(first + second, of: table, sync))
        try await daemon.restart()
        #expect(try await daemon.holds(exactly: [], of: table))
    }
}
