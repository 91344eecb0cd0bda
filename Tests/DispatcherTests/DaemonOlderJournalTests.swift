import Dispatcher
import Journal
import StreamModel
import Targets
import Testing

/// DESIGN 4.5; DESIGN 7, invariants 2 and 6. The journal was restored from a backup: the target has lived through what it says, and
/// more.
@Suite("A daemon recovers with an older journal", .serialized, .timeLimit(.minutes(2)))
struct DaemonOlderJournalTests {
    private let rig = Rig(storesPositions: true)

    /// The target has come to that record in what the journal has lost.
    private func livedThrough(_ shard: String, _ number: Int, epoch: Epoch = .first) {
        var contents = rig.target.contents
        let key = Sample.key(shard)
        contents.positions[key] = ShardPosition(shard: key, epoch: epoch, sequenceNumber: Sample.number(number))
        rig.target.restore(contents)
    }

    /// What is read again, and that it is no more than once.
    private func readsAgain(
        _ numbers: [Int], _ configuration: DaemonConfiguration = Rig.following, until shard: String
    ) async throws {
        let held = rig.target.applied.count
        try await rig.run(configuration) { daemon in
            try await eventually("it is read again") {
                let again = rig.target.applied.dropFirst(held).flatMap(\.numbers)
                return try again.count >= numbers.count && daemon.journal.number(of: shard) == numbers.last
            }
        }
        var untilIdle = configuration
        untilIdle.untilIdle = .milliseconds(100)
        try await rig.runToRest(untilIdle)
        #expect(rig.target.applied.dropFirst(held).flatMap(\.numbers) == numbers)
        try rig.journal { _ = try $0.verify { _ in } }
    }

    private func scan(_ times: Int) async throws {
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the table is scanned") {
                try daemon.journal.everything().count { $0.payload.kind == "scan_finished" } == times
            }
        }
    }

    private func resync() async throws { try await rig.asOperator { try await $0.resync() } }

    /// The parent's replay, which was cut off, lies over the rows of the scan.
    ///
    ///     a 1…6 ─── b 7…8, and a scan
    @Test("A shard that was read before the scan goes on in the replay that the journal has lost")
    func readBeforeScan() async throws {
        rig.source.change(Sample.table) { $0.items = ["item-1", "item-2"] }
        rig.source.add(FakeShard("a"))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(1...6, in: "a")
            rig.source.close("a")
            rig.source.add(FakeShard("b", parent: "a", 7...8))
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 8 }
        }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("a listing shows its end, and nothing more is to be said of it") {
                try daemon.journal.checkpoint(of: Sample.key("a"))?.range.isClosed == true
            }
        }
        try await resync()
        try await scan(2)
        let shard = try rig.journal { try $0.checkpoint(of: Sample.key("a")) }
        let table = try rig.journal { try $0.table(Sample.table) }
        let (read, scanned) = (try #require(shard?.position), try #require(table?.scanBegan))
        #expect(read < scanned)
        livedThrough("a", 4, epoch: Epoch(1))
        try await readsAgain([5, 6, 7, 8], Rig.scanning(), until: "b")
    }

    ///     old 1…3 ─── b 4…6, older than the scan, and 7
    private func olderThanScan() async throws {
        rig.source.change(Sample.table) { $0.items = ["item-1", "item-2"] }
        rig.source.add(FakeShard("old", 1...3, isClosed: true), FakeShard("b", parent: "old", 4...6))
        try await scan(1)
        livedThrough("old", 2, epoch: Epoch(1))
        #expect(try rig.journal { try $0.status(of: "old") } == .notNeeded)
    }

    @Test("So does one that was older than the scan's anchor, of which the journal has no number")
    func olderThanAnchor() async throws {
        try await olderThanScan()
        rig.source.put(7...7, in: "b")
        try await readsAgain(Array(3...7), Rig.scanning(), until: "b")
    }

    @Test("What such a replay has brought is not read again where another scan brings all")
    func scannedAgain() async throws {
        try await olderThanScan()
        try await resync()
        try await scan(2)
        #expect(rig.target.numbers == [])
        rig.source.put(7...7, in: "b")
        try await readsAgain([7], Rig.scanning(), until: "b")
        let old = try rig.journal { try $0.checkpoint(of: Sample.key("old")) }
        #expect(old?.status == .notNeeded && old?.epoch == Epoch(1))
    }

    /// The parent was listed late in what the journal has lost, too: nobody knows which of them was read first.
    ///
    ///     a 1…5 ─── b 6…9 ─── c 10…12, of which the first listing shows b
    @Test(
        "A shard that is known and not begun is read from its start where a parent is listed late",
        arguments: [false, true])
    func lateParent(isHeld: Bool) async throws {
        rig.source.add(FakeShard("b", parent: "a", 6...9))
        rig.source.fail(.iterator, of: "b", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the shard can't be taken up") {
                try daemon.journal.kinds(of: "b").contains("faulted")
            }
        }
        rig.source.heal()
        #expect(try rig.journal { try $0.status(of: "b") } == .notProcessed)
        livedThrough("b", 9)
        if isHeld { livedThrough("a", 5) }
        livedThrough("c", 12)
        rig.source.add(FakeShard("a", 1...5, isClosed: true))
        rig.source.close("b")
        rig.source.add(FakeShard("c", parent: "b", 10...12))
        try await readsAgain(Array((isHeld ? 6 : 1)...12), until: "c")
    }
}
