import StreamModel
import Targets
import Testing

@testable import Dispatcher
@testable import Journal

/// DESIGN 4.4.
@Suite("What guards the target beside scans")
struct ScanGuardsTests {
    private static let other = FakeTable(TableName("users")).schema
    private static let table = FakeTable(Sample.table).schema
    private static let unreadable = #"{"name":{"S":"no key"}}"#

    private static func keys(_ names: [String]) -> [String] { names.map(ScanPage.key(of:)) }

    /// Changes whose keys are these objects.
    private static func batch(_ table: TableSchema, _ origin: Batch.Origin, _ objects: [String]) -> Batch {
        var body: [UInt8] = []
        let changes = objects.map { object in
            let range = ByteRange(offset: UInt32(body.count), count: UInt32(object.utf8.count))
            body += Array(object.utf8)
            return Change(
                kind: .modify, sequenceNumber: nil, approximateTime: nil, keys: range, newImage: range, oldImage: nil)
        }
        return Batch(table: table, origin: origin, parts: [Batch.Part(body: body, changes: changes)])
    }

    private static func rows(_ table: TableSchema, _ objects: String...) -> Batch {
        batch(table, .scan(SegmentPosition(fullSync: FullSyncID(1), segment: 0, items: 9)), objects)
    }

    private static func changes(_ table: TableSchema, _ objects: String...) -> Batch {
        let shard = ShardKey(table: table.name, stream: Sample.stream(of: table.name), shard: ShardID("a"))
        return batch(table, .shard(shard, epoch: .first, upTo: Sample.number(9)), objects)
    }

    private static func held(_ batches: [Batch]) -> [[String]] {
        batches.map { batch in
            batch.parts.flatMap { part in
                part.changes.map { String(decoding: part.body[$0.keys.range], as: UTF8.self) }
            }
        }
    }

    /// Both tables are guarded.
    private func guarding(
        sweeping: Bool = false, _ body: (inout ScanGuards) async throws -> Void
    ) async throws {
        let scratch = Scratch()
        let run = RunStarted(role: "daemon", version: "0", host: "tests", pid: 1)
        let journal = try Journal.open(scratch.path + "/journal", .daemon(run), mapSize: 16 << 20)
        var guards = ScanGuards()
        for table in [Self.table, Self.other] {
            let kept = try await TouchedKeys.begin(FullSyncID(1), of: table.name, in: journal, sweeping: sweeping)
            guards.begin(kept, of: table)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(&guards)) } catch { result = .failure(error) }
        await journal.close(reason: "done")
        try result.get()
    }

    @Test("A row whose key can't be read is left to the target, and shifts no verdict of those beside it")
    func unreadableKeys() async throws {
        try await guarding { guards in
            let (a, b, c) = (Self.keys(["a"])[0], Self.keys(["b"])[0], Self.keys(["c"])[0])
            let passed = try await guards.pass([
                Self.changes(Self.table, b, Self.unreadable),
                Self.rows(Self.table, Self.unreadable, a, b, Self.unreadable, c),
            ])
            #expect(Self.held(passed) == [[b, Self.unreadable], [Self.unreadable, a, Self.unreadable, c]])
        }
    }

    @Test("Two tables in one group have each their own keys, whatever the order of their batches")
    func twoTables() async throws {
        try await guarding { guards in
            let (a, b) = (Self.keys(["a"])[0], Self.keys(["b"])[0])
            let passed = try await guards.pass([
                Self.changes(Self.table, a), Self.rows(Self.other, a, b), Self.changes(Self.other, b),
                Self.rows(Self.table, a, b), Self.rows(Self.other, a, b),
            ])
            #expect(Self.held(passed) == [[a], [a, b], [b], [b], [a]])
        }
    }

    @Test("Where a group is tried again one by one, what it left out stays out, and no row comes over a change")
    func oneByOne() async throws {
        try await guarding { guards in
            let (a, b) = (Self.keys(["a"])[0], Self.keys(["b"])[0])
            let group = [Self.changes(Self.table, a), Self.rows(Self.table, a, b), Self.changes(Self.table, b)]
            #expect(Self.held(try await guards.pass(group)) == [[a], [b], [b]])
            var alone: [[String]] = []
            for batch in group { alone += Self.held(try await guards.pass([batch])) }
            // The row is left out now, before the change that follows it and brings what is newer.
            #expect(alone == [[a], [], [b]])
        }
    }

    @Test("A table that is not scanned, or whose scan is over, passes as it is")
    func unguarded() async throws {
        try await guarding { guards in
            let a = Self.keys(["a"])[0]
            let third = FakeTable(TableName("third")).schema
            #expect(Self.held(try await guards.pass([Self.changes(third, a), Self.rows(third, a)])) == [[a], [a]])
            guards.end(Self.table.name)
            let passed = try await guards.pass([Self.changes(Self.table, a), Self.rows(Self.table, a)])
            #expect(Self.held(passed) == [[a], [a]])
        }
    }

    @Test("A sweep removes what was neither scanned nor changed, up to the moment of its write")
    func sweep() async throws {
        try await guarding(sweeping: true) { guards in
            let keys = ["scanned", "changed", "later", "gone"].map { CanonicalKey(hash: Array($0.utf8), range: nil) }
            let objects = Self.keys(["scanned", "changed", "later", "gone"])
            _ = try await guards.pass([Self.rows(Self.table, objects[0]), Self.changes(Self.table, objects[1])])
            let sweep = Batch.sweep(keys, of: Self.table, FullSyncID(1))
            let passed = try await guards.pass([Self.changes(Self.table, objects[2]), sweep])
            #expect(Self.held(passed) == [[objects[2]], [objects[3]]])
            let others = try await guards.pass([Batch.sweep(keys, of: Self.other, FullSyncID(1))])
            #expect(Self.held(others) == [objects], "another table's keys say nothing")
        }
    }
}
