import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Targets
import TestSupport
import Testing

/// What a scan brings, and what a full sync does with what was known before it.
@Suite("A daemon syncs a table in full", .timeLimit(.minutes(2)))
struct DaemonFullSyncTests {
    private let rig = Rig(storesPositions: true)

    private static var untilIdle: DaemonConfiguration {
        var configuration = Rig.scanning()
        configuration.untilIdle = .milliseconds(100)
        return configuration
    }

    /// A table that was scanned, and of whose shard `a` the records up to 9 were followed.
    private func follow() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
            rig.source.put(7...9, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 9 }
        }
    }

    /// Runs until the table can't go on: what it needs is gone from the stream, or from the target.
    private func fallDue() async throws {
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the table can't go on") { daemon.hasEnded }
        }
    }

    @Test("A page is journaled only when the target holds it")
    func journaledWhenDurable() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            #expect(try daemon.journal.everything().contains { $0.payload.kind == "scan_advanced" } == false)
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
    }

    @Test(
        "Killed wherever it is, it goes on from the journaled keys: nothing is missing, and little comes twice",
        arguments: 1...60)
    func resumes(step: Int) async throws {
        rig.addScannedTable()
        try await rig.crash(Rig.scanning(), at: Fuse(steps: step))
        let journaled = try rig.journal { try $0.table(Sample.table)?.items ?? 0 }
        let scans = rig.source.calls(.scan).count
        let wasAnchored = try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.storedIterator != nil }
        if wasAnchored { rig.source.put(7...9, in: "a") }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is anchored") {
                try daemon.journal.checkpoint(of: Sample.key("a")).map { $0.status != .notProcessed } ?? false
            }
            if !wasAnchored { rig.source.put(7...9, in: "a") }
            try await eventually("the stream is followed, and the scan finished") {
                try daemon.journal.number(of: "a") == 9 && daemon.journal.phase() == .incrSync
            }
        }
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
        // Of each segment at most the page again that was in the target's hands.
        #expect(rig.target.items().count <= Rig.items.count + 3 * 2)
        #expect(rig.target.numbers.suffix(3) == [7, 8, 9])
        #expect(Set(rig.target.numbers).isSuperset(of: [7, 8, 9]))
        // A page brings two items, and each segment ends with one request.
        #expect(rig.source.calls(.scan).count - scans <= (Rig.items.count - Int(journaled)) / 2 + 3 * 2)
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A scan that was begun keeps its number of segments, whatever the configuration says now")
    func segments() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let scans = rig.source.calls(.scan).count
        var configuration = Rig.scanning()
        configuration.scanSegments = 8
        try await rig.run(configuration) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.source.calls(.scan).dropFirst(scans).allSatisfy { $0.total == 3 })
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("In mode full, a table that can't be scanned holds up no other, and the daemon ends with its error")
    func fullBesideUnfit() async throws {
        rig.addScannedTable()
        let other = TableName("other")
        rig.source.add(FakeTable(other))
        rig.source.change(other) { $0.streamEnabled = false }
        var configuration = Rig.scanning(.full)
        configuration.tables = [Sample.table, other]
        let outcome = try await rig.runToRest(configuration)
        guard case .failure(let error) = outcome else {
            Issue.record("it ended well")
            return
        }
        #expect(error.exitCode == 78)
        #expect(error.description.contains("it has no stream"))
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("Pages are as far apart as the capacity asks for, and all of them come")
    func paced() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.scanCapacity = .units(0.1)
        try await rig.run(configuration) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
        // One unit each: all but those that are asked for at first, of which nobody knows the cost.
        let pages = rig.source.calls(.scan).count
        let waits = rig.clock.waits.filter { $0 > .seconds(9) && $0 < .seconds(300) }
        #expect(waits.count >= pages - 4)
    }

    @Test("A share of a capacity that the table has not stops that table, and says what to say instead")
    func shareOfNothing() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.scanCapacity = .share(0.5)
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome else {
            Issue.record("it ended well")
            return
        }
        #expect(error.exitCode == 78)
        #expect(error.description.contains("billed on demand"))
        #expect(rig.source.calls(.scan).isEmpty)
    }

    @Test("A scan that fails is begun again from the journaled keys")
    func failing() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-9")) }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("half of it is at the target") { gate.arrivals == 1 }
            rig.source.fail(.scan, with: .named("ThrottlingException"), times: 2)
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.items().count == Rig.items.count, "nothing that is journaled is read again")
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("A target that refuses a page gets it again")
    func refused() async throws {
        rig.addScannedTable()
        rig.target.refuse(Array(repeating: .unavailable(target: "recording:", reason: "locked"), count: 3))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.items().count == Rig.items.count)
    }

    @Test("With --mode full the daemon ends when the scan does, and a second one has nothing to do")
    func fullOnly() async throws {
        rig.addScannedTable()
        for _ in 1...2 {
            let outcome = try await rig.runToRest(Rig.scanning(.full))
            #expect(throws: Never.self) { try outcome.get() }
        }
        #expect(rig.target.items().count == Rig.items.count)
        #expect(rig.target.numbers == [])
        #expect(try rig.journal { try $0.phase() } == .incrSync)
    }

    @Test("What a --mode full left behind is followed from its anchor")
    func fullThenAll() async throws {
        rig.addScannedTable()
        try await rig.runToRest(Rig.scanning(.full))
        rig.source.put(7...9, in: "a")
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [7, 8, 9])
        #expect(rig.target.items().count == Rig.items.count)
    }

    @Test("A stop lets the pages in flight be journaled, and the next run goes on after them")
    func stopped() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let held = rig.target.items().count
        #expect(held < Rig.items.count)
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == UInt64(held))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.items().count == Rig.items.count)
    }

    @Test("--mode incr refuses a table whose full sync is not finished, and says what to do")
    func incrTooEarly() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let outcome = try await rig.run(Rig.scanning(.incr)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 78)
        #expect(error.description.contains("--mode all"))
    }

    @Test("A table whose stream lost what came next is scanned again, and then followed from the new anchor")
    func again() async throws {
        try await follow()
        rig.source.put(10...14, in: "a")
        rig.source.change("a") { $0.trimmed = 8 }
        try await fallDue()
        let before = rig.target.items().count
        rig.source.change(Sample.table) { $0.items.append("new") }
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is followed again") {
                try rig.target.items().count > before + Rig.items.count && daemon.journal.phase() == .incrSync
            }
            rig.source.put(15...16, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 16 }
        }
        #expect(rig.target.items().count == before + Rig.items.count + 1)
        #expect(rig.target.numbers.suffix(2) == [15, 16])
    }

    @Test(
        "What has a child is over before the scan, though a listing shows it open: nothing older comes over what was scanned"
    )
    func openBesideChildren() async throws {
        rig.addScannedTable()
        rig.source.add(
            FakeShard("p", 20...22), FakeShard("q", parent: "p", 23...24),
            FakeShard("r", parent: "q", 25...26, isClosed: true),
            FakeShard("s", parent: "r", 27...28))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is followed") { try daemon.journal.phase() == .incrSync }
            rig.source.put(30...31, in: "s")
            try await eventually("what is new is read") { try daemon.journal.number(of: "s") == 31 }
            for shard in ["p", "q", "r"] { #expect(try daemon.journal.status(of: shard) == .notNeeded) }
        }
        #expect(rig.target.numbers == [30, 31])
    }

    @Test("What came and went before a scan is no loss, however long nobody looked")
    func unseenBeforeScan() async throws {
        try await follow()
        rig.target.restore(RecordingTarget.Contents())
        try await fallDue()
        rig.source.remove("a")
        rig.source.add(FakeShard("c", parent: "b", 10...11))
        try await rig.run(Rig.scanning(), ahead: .seconds(30 * 3600)) { daemon in
            try await eventually("it is followed again, or the daemon ends") {
                try daemon.hasEnded
                    || daemon.journal.status(of: "c") == .inProcessing && daemon.journal.phase() == .incrSync
            }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("A shard that is gone from the stream is over with the next full sync, and its children are followed")
    func againAfterAgedOut() async throws {
        try await follow()
        rig.source.remove("a")
        rig.source.add(FakeShard("b", parent: "a", 10...11))
        try await fallDue()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is followed again") {
                try daemon.journal.status(of: "b") == .inProcessing && daemon.journal.phase() == .incrSync
            }
            rig.source.put(12...13, in: "b")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "b") == 13 }
            #expect(try daemon.journal.status(of: "a") == .notNeeded)
        }
        try await rig.run(Rig.resyncing) { daemon in
            rig.source.put(14...15, in: "b")
            try await eventually("it is still followed") { try daemon.journal.number(of: "b") == 15 }
        }
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("After a full sync the start of a shard may leave the stream: what follows the anchor is still followed")
    func againWhileTrimming() async throws {
        try await follow()
        rig.source.put(10...14, in: "a")
        rig.source.change("a") { $0.trimmed = 8 }
        try await fallDue()
        let (scan, page) = (rig.source.hold(.scan), rig.source.hold(.records, of: "a"))
        let earlier = rig.target.numbers.count
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("the scan begins, and a first page is asked for") {
                scan.arrivals > 0 && page.arrivals > 0
            }
            rig.source.expireIterators()
            rig.source.put(15...16, in: "a")
            rig.source.change("a") { $0.trimmed = 9 }
            page.open()
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 16 }
            scan.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.numbers.dropFirst(earlier)).isSuperset(of: [15, 16]))
    }

    @Test("A shard that a late listing lacks at the next full sync is not over, if it can be read")
    func againWithLateListing() async throws {
        try await follow()
        rig.target.restore(RecordingTarget.Contents())
        try await fallDue()
        rig.source.change("a") { $0.isListed = false }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is followed again") { try daemon.journal.phase() == .incrSync }
            rig.source.put(10...12, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 12 }
        }
        #expect(rig.target.numbers.suffix(3) == [10, 11, 12])
    }

    @Test("An emptied target is filled by one full sync, whatever shards were done before it")
    func emptiedAfterDone() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
            rig.source.put(7...9, in: "a")
            rig.source.close("a")
            rig.source.add(FakeShard("b", parent: "a", 10...11))
            try await eventually("the child is read") { try daemon.journal.number(of: "b") == 11 }
        }
        rig.target.restore(RecordingTarget.Contents())
        try await fallDue()
        for number in [12, 13] {
            try await rig.run(Rig.scanning()) { daemon in
                try await eventually("it is followed again") {
                    try daemon.journal.phase() == .incrSync && daemon.journal.status(of: "b") == .inProcessing
                }
                rig.source.put(number...number, in: "b")
                try await eventually("its records are journaled") { try daemon.journal.number(of: "b") == number }
            }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
        #expect(rig.target.items().count == Rig.items.count)
    }

    @Test("What a target lacks of a shard that was done before the scan is in the scan, and not read again")
    func behindBeforeTheScan() async throws {
        try await follow()
        rig.source.close("a")
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
        }
        var older = RecordingTarget.Contents()
        let shard = Sample.key("a")
        older.positions[shard] = ShardPosition(shard: shard, epoch: .first, sequenceNumber: Sample.number(7))
        rig.target.restore(older)
        try await fallDue()
        for _ in 1...2 {
            let outcome = try await rig.runToRest(Self.untilIdle)
            #expect(throws: Never.self) { try outcome.get() }
        }
        #expect(rig.target.numbers == [])
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("A target restored from a backup made during the scan needs a full sync, and says so")
    func restoredFromWithin() async throws {
        rig.addScannedTable()
        let last = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-19")) }
        var backup = RecordingTarget.Contents()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("only the last page is missing") { last.arrivals == 1 }
            backup = rig.target.contents
            last.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(backup.applied.flatMap(\.items).count < Rig.items.count)
        rig.target.restore(backup)
        try await fallDue()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("A target that lost rows while the scan stood still needs a full sync, and says so")
    func emptiedWithin() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-19")) }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("half of it is scanned") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        rig.target.restore(RecordingTarget.Contents())
        let outcome = try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("An emptied target of a scanned table needs a full sync, and says so")
    func emptied() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(7...9, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        rig.target.restore(RecordingTarget.Contents())
        let outcome = try await rig.run(Rig.scanning(.incr)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try rig.journal { try $0.phase() } == .fullSync)
    }
}
