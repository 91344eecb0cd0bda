import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Synchronization
import Targets
import Testing

/// DESIGN 4.4.
@Suite("A daemon syncs a table in full", .timeLimit(.minutes(2)))
struct DaemonFullSyncTests {
    private let rig = Rig(storesPositions: true)

    private static func configuration(_ mode: DaemonConfiguration.Mode = .all) -> DaemonConfiguration {
        var configuration = Rig.following
        configuration.mode = mode
        configuration.scanSegments = 3
        configuration.scanReaders = 2
        return configuration
    }

    private static var untilIdle: DaemonConfiguration {
        var configuration = configuration()
        configuration.untilIdle = .milliseconds(100)
        return configuration
    }

    /// Twenty items, in three segments of pages of two.
    private static let items = (0..<20).map { "item-\($0)" }
    private static let keys = Set(items.map(ScanPage.key(of:)))
    /// Those that records of the stream are about; rows of them may be left out.
    private static let followed = Set(items.prefix(3).map(ScanPage.key(of:)))

    private func addTable() {
        rig.source.change(Sample.table) { $0.items = Self.items }
        rig.source.add(FakeShard("old", 1...3, isClosed: true), FakeShard("a", 4...6))
    }

    /// A table that was scanned, and of whose shard `a` the records up to 9 were followed.
    private func follow() async throws {
        addTable()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is followed") { try phase(daemon.journal) == .incrSync }
            rig.source.put(7...9, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 9 }
        }
    }

    /// Runs until some of the scan is journaled.
    private func scanPartly(now: @escaping @Sendable () -> Timestamp = { .now() }) async throws {
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Self.configuration(), now: now) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        let segments = try rig.journal { try $0.table(Sample.table)?.segments }
        #expect(segments?.isEmpty == false && segments?.allSatisfy(\.isFinished) == false)
    }

    /// Runs until the table can't go on: what it needs is gone from the stream, or from the target.
    private func fallDue() async throws {
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the table can't go on") { daemon.hasEnded }
        }
    }

    /// As `configuration`, and what is lost is scanned again.
    private static var resyncing: DaemonConfiguration {
        var configuration = configuration()
        configuration.onLoss = LossPolicies(.resync)
        return configuration
    }

    private func phase(_ journal: Journal) throws -> Phase? { try journal.table(Sample.table)?.phase }

    @Test("The stream is anchored before the first page and followed from then on; no row comes over what it changes")
    func beside() async throws {
        addTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan begins") { gate.arrivals == 2 }
            #expect(try daemon.journal.status(of: "old") == .notNeeded)
            // The items 1 and 2.
            rig.source.put(7...8, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 8 }
            #expect(try phase(daemon.journal) == .fullSync)
            gate.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
            rig.source.put(9...9, in: "a")
            try await eventually("the stream is followed still") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [7, 8, 9], "nothing that is older than the anchor")
        #expect(Set(rig.target.items()) == Self.keys.subtracting(["item-1", "item-2"].map(ScanPage.key(of:))))
        #expect(rig.target.items().count == Self.items.count - 2)

        let calls = rig.source.calls
        let anchor = try #require(calls.firstIndex { $0.operation == .iterator && $0.object == "a" })
        let firstScan = try #require(calls.firstIndex { $0.operation == .scan })
        #expect(anchor < firstScan)
        #expect(calls[anchor].type == .latest)

        try rig.journal { journal in
            let kinds = try journal.everything().map(\.payload.kind)
            let resolved = try #require(kinds.firstIndex(of: "iterator_resolved"))
            let scanned = try #require(kinds.firstIndex(of: "scan_advanced"))
            #expect(resolved < scanned)
            let finished = try #require(kinds.firstIndex(of: "scan_finished"))
            #expect(kinds[finished + 1] == "phase_changed", "in one append")
            let state = try #require(try journal.table(Sample.table))
            #expect(state.items == 20)
            #expect(state.phase == .incrSync)
        }
    }

    @Test("A page is journaled only when the target holds it")
    func journaledWhenDurable() async throws {
        addTable()
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            #expect(try daemon.journal.everything().contains { $0.payload.kind == "scan_advanced" } == false)
            gate.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
    }

    @Test(
        "Killed wherever it is, it goes on from the journaled keys: nothing is missing, and little comes twice",
        arguments: 1...60)
    func resumes(step: Int) async throws {
        addTable()
        try await rig.crash(Self.configuration(), at: Fuse(steps: step))
        let journaled = try rig.journal { try $0.table(Sample.table)?.items ?? 0 }
        let scans = rig.source.calls(.scan).count
        let wasAnchored = try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.storedIterator != nil }
        if wasAnchored { rig.source.put(7...9, in: "a") }
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is anchored") {
                try daemon.journal.checkpoint(of: Sample.key("a")).map { $0.status != .notProcessed } ?? false
            }
            if !wasAnchored { rig.source.put(7...9, in: "a") }
            try await eventually("the stream is followed, and the scan finished") {
                try daemon.journal.number(of: "a") == 9 && phase(daemon.journal) == .incrSync
            }
        }
        #expect(Set(rig.target.items()).union(Self.followed) == Self.keys)
        // Of each segment at most the page again that was in the target's hands.
        #expect(rig.target.items().count <= Self.items.count + 3 * 2)
        #expect(rig.target.numbers.suffix(3) == [7, 8, 9])
        #expect(Set(rig.target.numbers).isSuperset(of: [7, 8, 9]))
        // A page brings two items, and each segment ends with one request.
        #expect(rig.source.calls(.scan).count - scans <= (Self.items.count - Int(journaled)) / 2 + 3 * 2)
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A scan that was begun keeps its number of segments, whatever the configuration says now")
    func segments() async throws {
        addTable()
        try await scanPartly()
        let scans = rig.source.calls(.scan).count
        var configuration = Self.configuration()
        configuration.scanSegments = 8
        try await rig.run(configuration) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(rig.source.calls(.scan).dropFirst(scans).allSatisfy { $0.total == 3 })
        #expect(Set(rig.target.items()) == Self.keys)
    }

    @Test("A scan that fails is begun again from the journaled keys")
    func failing() async throws {
        addTable()
        let gate = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-9")) }
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("half of it is at the target") { gate.arrivals == 1 }
            rig.source.fail(.scan, with: .named("ThrottlingException"), times: 2)
            gate.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(rig.target.items().count == Self.items.count, "nothing that is journaled is read again")
        #expect(Set(rig.target.items()) == Self.keys)
    }

    @Test("A target that refuses a page gets it again")
    func refused() async throws {
        addTable()
        rig.target.refuse(Array(repeating: .unavailable(target: "recording:", reason: "locked"), count: 3))
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(rig.target.items().count == Self.items.count)
    }

    @Test("With --mode full the daemon ends when the scan does, and a second one has nothing to do")
    func fullOnly() async throws {
        addTable()
        for _ in 1...2 {
            let outcome = try await rig.runToRest(Self.configuration(.full))
            #expect(throws: Never.self) { try outcome.get() }
        }
        #expect(rig.target.items().count == Self.items.count)
        #expect(rig.target.numbers == [])
        #expect(try rig.journal { try phase($0) } == .incrSync)
    }

    @Test("What a --mode full left behind is followed from its anchor")
    func fullThenAll() async throws {
        addTable()
        try await rig.runToRest(Self.configuration(.full))
        rig.source.put(7...9, in: "a")
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [7, 8, 9])
        #expect(rig.target.items().count == Self.items.count)
    }

    @Test("A stop lets the pages in flight be journaled, and the next run goes on after them")
    func stopped() async throws {
        addTable()
        try await scanPartly()
        let held = rig.target.items().count
        #expect(held < Self.items.count)
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == UInt64(held))
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(rig.target.items().count == Self.items.count)
    }

    @Test("--mode incr refuses a table whose full sync is not finished, and says what to do")
    func incrTooEarly() async throws {
        addTable()
        try await scanPartly()
        let outcome = try await rig.run(Self.configuration(.incr)) { daemon in
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
        try await rig.run(Self.resyncing) { daemon in
            try await eventually("it is followed again") {
                try rig.target.items().count > before + Self.items.count && phase(daemon.journal) == .incrSync
            }
            rig.source.put(15...16, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 16 }
        }
        #expect(rig.target.items().count == before + Self.items.count + 1)
        #expect(rig.target.numbers.suffix(2) == [15, 16])
    }

    @Test(
        "What has a child is over before the scan, though a listing shows it open: nothing older comes over what was scanned"
    )
    func openBesideChildren() async throws {
        addTable()
        rig.source.add(
            FakeShard("p", 20...22), FakeShard("q", parent: "p", 23...24),
            FakeShard("r", parent: "q", 25...26, isClosed: true),
            FakeShard("s", parent: "r", 27...28))
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("it is followed") { try phase(daemon.journal) == .incrSync }
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
        try await rig.run(Self.configuration(), ahead: .seconds(30 * 3600)) { daemon in
            try await eventually("it is followed again, or the daemon ends") {
                try daemon.hasEnded
                    || daemon.journal.status(of: "c") == .inProcessing && phase(daemon.journal) == .incrSync
            }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(Set(rig.target.items()) == Self.keys)
    }

    @Test("A shard that is gone from the stream is over with the next full sync, and its children are followed")
    func againAfterAgedOut() async throws {
        try await follow()
        rig.source.remove("a")
        rig.source.add(FakeShard("b", parent: "a", 10...11))
        try await fallDue()
        try await rig.run(Self.resyncing) { daemon in
            try await eventually("it is followed again") {
                try daemon.journal.status(of: "b") == .inProcessing && phase(daemon.journal) == .incrSync
            }
            rig.source.put(12...13, in: "b")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "b") == 13 }
            #expect(try daemon.journal.status(of: "a") == .notNeeded)
        }
        try await rig.run(Self.resyncing) { daemon in
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
        try await rig.run(Self.resyncing) { daemon in
            try await eventually("the scan begins, and a first page is asked for") {
                scan.arrivals > 0 && page.arrivals > 0
            }
            rig.source.expireIterators()
            rig.source.put(15...16, in: "a")
            rig.source.change("a") { $0.trimmed = 9 }
            page.open()
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 16 }
            scan.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(Set(rig.target.numbers.dropFirst(earlier)).isSuperset(of: [15, 16]))
    }

    @Test("A shard that a late listing lacks at the next full sync is not over, if it can be read")
    func againWithLateListing() async throws {
        try await follow()
        rig.target.restore(RecordingTarget.Contents())
        try await fallDue()
        rig.source.change("a") { $0.isListed = false }
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("it is followed again") { try phase(daemon.journal) == .incrSync }
            rig.source.put(10...12, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 12 }
        }
        #expect(rig.target.numbers.suffix(3) == [10, 11, 12])
    }

    @Test("An emptied target is filled by one full sync, whatever shards were done before it")
    func emptiedAfterDone() async throws {
        addTable()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is followed") { try phase(daemon.journal) == .incrSync }
            rig.source.put(7...9, in: "a")
            rig.source.close("a")
            rig.source.add(FakeShard("b", parent: "a", 10...11))
            try await eventually("the child is read") { try daemon.journal.number(of: "b") == 11 }
        }
        rig.target.restore(RecordingTarget.Contents())
        try await fallDue()
        for number in [12, 13] {
            try await rig.run(Self.configuration()) { daemon in
                try await eventually("it is followed again") {
                    try phase(daemon.journal) == .incrSync && daemon.journal.status(of: "b") == .inProcessing
                }
                rig.source.put(number...number, in: "b")
                try await eventually("its records are journaled") { try daemon.journal.number(of: "b") == number }
            }
        }
        #expect(Set(rig.target.items()) == Self.keys)
        #expect(rig.target.items().count == Self.items.count)
    }

    @Test("What a target lacks of a shard that was done before the scan is in the scan, and not read again")
    func behindBeforeTheScan() async throws {
        try await follow()
        rig.source.close("a")
        try await rig.run(Self.configuration()) { daemon in
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
        #expect(Set(rig.target.items()) == Self.keys)
    }

    @Test("A target restored from a backup made during the scan needs a full sync, and says so")
    func restoredFromWithin() async throws {
        addTable()
        let last = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-19")) }
        var backup = RecordingTarget.Contents()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("only the last page is missing") { last.arrivals == 1 }
            backup = rig.target.contents
            last.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(backup.applied.flatMap(\.items).count < Self.items.count)
        rig.target.restore(backup)
        try await fallDue()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(Set(rig.target.items()) == Self.keys)
    }

    @Test("A target that lost rows while the scan stood still needs a full sync, and says so")
    func emptiedWithin() async throws {
        addTable()
        let gate = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-19")) }
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("half of it is scanned") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        rig.target.restore(RecordingTarget.Contents())
        let outcome = try await rig.run(Self.configuration()) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("A rewind during the scan is kept when the stream is followed")
    func rewoundMeanwhile() async throws {
        addTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan begins") {
                try gate.arrivals == 2 && daemon.journal.status(of: "a") == .inProcessing
            }
            try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .start) }
            gate.open()
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
    }

    /// A new stream has no shards for a moment.
    @Test(
        "A stream that shows no shard when it is anchored loses none of what happens during the scan",
        arguments: [
            IteratorType.trimHorizon, .latest,
        ], [false, true])
    func noShardYet(startAt: IteratorType, isInterrupted: Bool) async throws {
        rig.source.change(Sample.table) { $0.items = Self.items }
        var configuration = Self.configuration()
        configuration.startAt = startAt
        configuration.discoveryInterval = .seconds(20)
        let isRead: (Journal) throws -> Bool = { try $0.number(of: "a") == 3 }
        let gate = rig.source.hold(.scan)
        try await rig.run(configuration) { daemon in
            try await eventually("the scan begins") { gate.arrivals == 2 }
            rig.source.add(FakeShard("a", 1...3))
            if isInterrupted { daemon.askToStop() }
            gate.open()
            try await eventually("the shard is read, or the daemon ends") {
                try daemon.hasEnded || isRead(daemon.journal)
            }
        }
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is read") { try isRead(daemon.journal) }
        }
        #expect(rig.target.numbers == [1, 2, 3])
    }

    @Test("An emptied target of a scanned table needs a full sync, and says so")
    func emptied() async throws {
        addTable()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(7...9, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        rig.target.restore(RecordingTarget.Contents())
        let outcome = try await rig.run(Self.configuration(.incr)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try rig.journal { try phase($0) } == .fullSync)
    }

    /// PEERS row 25: what a bootstrap's first place was is gone when it ends.
    @Test("A scan may take more than a day: the stream is followed meanwhile, and nothing is lost")
    func scanOfMoreThanADay() async throws {
        let hours = Hours()
        addTable()
        let gate = rig.source.hold(.scan)
        var configuration = Self.configuration()
        configuration.discoveryInterval = .seconds(200)
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("the scan begins") { gate.arrivals == 2 }
            rig.source.put(7...9, in: "a")
            try await eventually("what comes is read") { try daemon.journal.number(of: "a") == 9 }
            rig.source.add(FakeShard("b", parent: "a", 10...12))
            rig.source.close("a")
            try await eventually("its child is read") { try daemon.journal.number(of: "b") == 12 }
            hours.set(30)
            rig.source.remove("a")
            rig.source.change("b") {
                $0.trimmed = 3
                $0.put(13...14, at: hours.now())
            }
            try await eventually("the child is read still") { try daemon.journal.number(of: "b") == 14 }
            #expect(try phase(daemon.journal) == .fullSync)
            gate.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(rig.target.numbers == Array(7...14))
        #expect(Set(rig.target.items()).union(Self.followed) == Self.keys)
    }

    //  Anchored: a. While nobody runs, a is closed and leaves the stream, b comes and goes unseen, and c follows.
    enum Meanwhile: CaseIterable { case trimmed, rolledOver }

    @Test(
        "A stop of more than a day within a scan loses what the stream forgot meanwhile, and says so",
        arguments: Meanwhile.allCases, [LossPolicy.stop, .skip])
    func stopOfMoreThanADay(meanwhile: Meanwhile, policy: LossPolicy) async throws {
        let hours = Hours()
        addTable()
        var configuration = Self.configuration()
        configuration.onLoss = LossPolicies(policy)
        try await scanPartly(now: hours.now)
        rig.source.put(7...9, in: "a")
        hours.set(30)
        switch meanwhile {
        case .trimmed:
            rig.source.change("a") {
                $0.trimmed = 5
                $0.put(10...12, at: hours.now())
            }
            rig.source.expireIterators()
        case .rolledOver:
            rig.source.remove("a")
            rig.source.add(FakeShard("c", parent: "b", 10...12))
        }
        let outcome = try await rig.run(configuration, now: hours.now) { daemon in
            if policy == .stop {
                try await eventually("the table stops") { daemon.hasEnded }
            } else {
                let last = meanwhile == .trimmed ? "a" : "c"
                try await eventually("what is left is read, and the scan finished") {
                    try daemon.journal.number(of: last) == 12 && phase(daemon.journal) == .incrSync
                }
            }
        }
        let losses = try rig.journal { journal in
            try journal.everything().compactMap { if case .rangeLost(let lost) = $0.payload { lost } else { nil } }
        }
        #expect(!losses.isEmpty && losses.allSatisfy { $0.policy == policy })
        switch policy {
        case .stop:
            guard case .failure(.rangeLost) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(rig.target.numbers.isEmpty)
        case .skip, .resync:
            #expect(rig.target.numbers == (meanwhile == .trimmed ? [9, 10, 11, 12] : [10, 11, 12]))
            #expect(Set(rig.target.items()).union(Self.followed) == Self.keys)
            #expect(Set(losses.map(\.cause)) == (meanwhile == .trimmed ? [.stoodStill] : [.shardGone, .stoodStill]))
            // What `b` held is the loss of the one that follows it.
            let follower = try rig.journal { try $0.checkpoint(of: Sample.key("c"))?.loss?.lost.cause }
            #expect(follower == (meanwhile == .trimmed ? nil : .stoodStill))
        }
    }

    @Test("What was touched is known after a crash: no row of the scan comes over it")
    func touchedSurvives() async throws {
        addTable()
        try await scanPartly()
        let scan = rig.source.hold(.scan)
        rig.source.put(7...9, in: "a")
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
        }
        let before = rig.target.items().count
        try await rig.run(Self.configuration()) { daemon in
            scan.open()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(Set(rig.target.items().dropFirst(before)).isDisjoint(with: Self.followed))
        #expect(Set(rig.target.items()).union(Self.followed) == Self.keys)
    }

    @Test("Where what was touched is lost, the table is synced in full again")
    func touchedLost() async throws {
        addTable()
        try await scanPartly()
        try rig.removeTouched()
        try await rig.run(Self.resyncing) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        #expect(try rig.events("phase_changed").count == 3, "begun, begun again, finished")
        #expect(Set(rig.target.items()) == Self.keys)
        #expect(!rig.keepsTouched, "what a finished scan kept is removed")
    }

    @Test(
        "A start before the first page of a scan goes on from where the stream was followed to, and not from a new anchor"
    )
    func stoppedBeforeFirstPage() async throws {
        addTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("it is anchored") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(7...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(try daemon.journal.table(Sample.table)?.segments.isEmpty == true)
        }
        rig.source.put(10...11, in: "a")
        rig.source.heal()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("all is journaled, and the scan finished") {
                try daemon.journal.number(of: "a") == 11 && phase(daemon.journal) == .incrSync
            }
        }
        #expect(rig.target.numbers == Array(7...11))
        #expect(try rig.events("rewound").isEmpty)
    }

    @Test("A scan that was begun days ago and has brought nothing begins anew, and nothing is lost")
    func stoppedBeforeAnything() async throws {
        let hours = Hours()
        addTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Self.configuration(), now: hours.now) { daemon in
            try await eventually("it is anchored") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.put(7...9, in: "a")
        rig.source.change("a") { $0.trimmed = 5 }
        rig.source.expireIterators()
        rig.source.heal()
        hours.set(30)
        try await rig.run(Self.configuration(), now: hours.now) { daemon in
            try await eventually("the scan is finished, or the daemon ends") {
                try daemon.hasEnded || phase(daemon.journal) == .incrSync
            }
            rig.source.put(10...11, in: "a")
            try await eventually("the stream is followed, or the daemon ends") {
                try daemon.hasEnded || daemon.journal.number(of: "a") == 11
            }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(rig.target.numbers == [10, 11])
        #expect(Set(rig.target.items()).union(Self.followed) == Self.keys)
    }

    @Test("What a kill at the end of a scan left of it is removed at the next start")
    func leftovers() async throws {
        addTable()
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
        }
        try await rig.asOperator { _ = try TouchedKeys.begin(FullSyncID(1), of: Sample.table, in: $0) }
        #expect(rig.keepsTouched)
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("it is removed") { !rig.keepsTouched }
            #expect(!daemon.hasEnded)
        }
    }

    @Test("A scan that fails for a while holds up no shard")
    func scanFails() async throws {
        addTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Self.configuration()) { daemon in
            try await eventually("it fails often") { rig.source.calls(.scan).count > 6 }
            rig.source.put(7...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(rig.source.calls(.iterator, of: "a").count == 1, "its reader was not begun again")
            try await eventually("it is said") {
                rig.complaints().contains { $0.reason.hasPrefix("the scan is tried again since ") }
            }
            rig.source.heal()
            try await eventually("the scan is finished") { try phase(daemon.journal) == .incrSync }
            try await eventually("all is well") { rig.complaints().isEmpty }
        }
        let faults = try rig.events("faulted")
        #expect(faults.count == 1, "said once, not with every try")
    }
}
