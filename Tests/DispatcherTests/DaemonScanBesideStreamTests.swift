import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Testing

/// DESIGN 4.4.
@Suite("A daemon follows a stream beside a scan", .timeLimit(.minutes(2)))
struct DaemonScanBesideStreamTests {
    private let rig = Rig(storesPositions: true)

    @Test("The stream is anchored before the first page and followed from then on; no row comes over what it changes")
    func beside() async throws {
        rig.addScannedTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan begins") { gate.arrivals == 2 }
            #expect(try daemon.journal.status(of: "old") == .notNeeded)
            // The items 1 and 2.
            rig.source.put(7...8, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 8 }
            #expect(try daemon.journal.phase() == .fullSync)
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            rig.source.put(9...9, in: "a")
            try await eventually("the stream is followed still") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [7, 8, 9], "nothing that is older than the anchor")
        #expect(Set(rig.target.items()) == Rig.keys.subtracting(["item-1", "item-2"].map(ScanPage.key(of:))))
        #expect(rig.target.items().count == Rig.items.count - 2)

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

    @Test("A rewind during the scan is kept when the stream is followed")
    func rewoundMeanwhile() async throws {
        rig.addScannedTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Rig.scanning()) { daemon in
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
        rig.source.change(Sample.table) { $0.items = Rig.items }
        var configuration = Rig.scanning()
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

    /// PEERS row 25: what a bootstrap's first place was is gone when it ends.
    @Test("A scan may take more than a day: the stream is followed meanwhile, and nothing is lost")
    func scanOfMoreThanADay() async throws {
        let hours = Hours()
        rig.addScannedTable()
        let gate = rig.source.hold(.scan)
        var configuration = Rig.scanning()
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
            #expect(try daemon.journal.phase() == .fullSync)
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(rig.target.numbers == Array(7...14))
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
    }

    //  Anchored: a. While nobody runs, a is closed and leaves the stream, b comes and goes unseen, and c follows.
    enum Meanwhile: CaseIterable { case trimmed, rolledOver }

    @Test(
        "A stop of more than a day within a scan loses what the stream forgot meanwhile, and says so",
        arguments: Meanwhile.allCases, [LossPolicy.stop, .skip])
    func stopOfMoreThanADay(meanwhile: Meanwhile, policy: LossPolicy) async throws {
        let hours = Hours()
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.onLoss = LossPolicies(policy)
        try await rig.scanPartly(now: hours.now)
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
                    try daemon.journal.number(of: last) == 12 && daemon.journal.phase() == .incrSync
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
            #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
            #expect(Set(losses.map(\.cause)) == (meanwhile == .trimmed ? [.stoodStill] : [.shardGone, .stoodStill]))
            // What `b` held is the loss of the one that follows it.
            let follower = try rig.journal { try $0.checkpoint(of: Sample.key("c"))?.loss?.lost.cause }
            #expect(follower == (meanwhile == .trimmed ? nil : .stoodStill))
        }
    }

    @Test("What was touched is known after a crash: no row of the scan comes over it")
    func touchedSurvives() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let scan = rig.source.hold(.scan)
        rig.source.put(7...9, in: "a")
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
        }
        let before = rig.target.items().count
        try await rig.run(Rig.scanning()) { daemon in
            scan.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.items().dropFirst(before)).isDisjoint(with: Rig.followedKeys))
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
    }

    @Test("Where what was touched is lost, the table is synced in full again")
    func touchedLost() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        try rig.removeTouched()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(try rig.events("phase_changed").count == 3, "begun, begun again, finished")
        #expect(Set(rig.target.items()) == Rig.keys)
        #expect(!rig.keepsTouched, "what a finished scan kept is removed")
    }

    @Test(
        "A start before the first page of a scan goes on from where the stream was followed to, and not from a new anchor"
    )
    func stoppedBeforeFirstPage() async throws {
        rig.addScannedTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is anchored") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(7...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(try daemon.journal.table(Sample.table)?.segments.isEmpty == true)
        }
        rig.source.put(10...11, in: "a")
        rig.source.heal()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("all is journaled, and the scan finished") {
                try daemon.journal.number(of: "a") == 11 && daemon.journal.phase() == .incrSync
            }
        }
        #expect(rig.target.numbers == Array(7...11))
        #expect(try rig.events("rewound").isEmpty)
    }

    @Test("A scan that was begun days ago and has brought nothing begins anew, and nothing is lost")
    func stoppedBeforeAnything() async throws {
        let hours = Hours()
        rig.addScannedTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Rig.scanning(), now: hours.now) { daemon in
            try await eventually("it is anchored") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.put(7...9, in: "a")
        rig.source.change("a") { $0.trimmed = 5 }
        rig.source.expireIterators()
        rig.source.heal()
        hours.set(30)
        try await rig.run(Rig.scanning(), now: hours.now) { daemon in
            try await eventually("the scan is finished, or the daemon ends") {
                try daemon.hasEnded || daemon.journal.phase() == .incrSync
            }
            rig.source.put(10...11, in: "a")
            try await eventually("the stream is followed, or the daemon ends") {
                try daemon.hasEnded || daemon.journal.number(of: "a") == 11
            }
        }
        #expect(try rig.events("range_lost").isEmpty)
        #expect(rig.target.numbers == [10, 11])
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
    }

    @Test("What a kill at the end of a scan left of it is removed at the next start")
    func leftovers() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        try await rig.asOperator { _ = try await TouchedKeys.begin(FullSyncID(1), of: Sample.table, in: $0) }
        #expect(rig.keepsTouched)
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is removed") { !rig.keepsTouched }
            #expect(!daemon.hasEnded)
        }
    }

    @Test("A scan that fails for a while holds up no shard")
    func scanFails() async throws {
        rig.addScannedTable()
        rig.source.fail(.scan, with: .named("ThrottlingException"))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it fails often") { rig.source.calls(.scan).count > 6 }
            rig.source.put(7...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(rig.source.calls(.iterator, of: "a").count == 1, "its reader was not begun again")
            try await eventually("it is said") {
                rig.complaints().contains { $0.reason.hasPrefix("the scan is tried again since ") }
            }
            rig.source.heal()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            try await eventually("all is well") { rig.complaints().isEmpty }
        }
        let faults = try rig.events("faulted")
        #expect(faults.count == 1, "said once, not with every try")
    }

    @Test("Where what the stream has changed can't be read any more, that scan begins again, and no daemon ends")
    func damagedTouched() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let begun = try rig.journal { try $0.table(Sample.table)?.fullSync }
        try rig.damageTouched()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
        }
        #expect(try rig.journal { try $0.table(Sample.table)?.fullSync } != begun)
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("A scan that is refused from some page on leaves the stream alone, and goes on when it is allowed again")
    func refusedMeanwhile() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        rig.source.fail(.scan, with: .named("AccessDeniedException"))
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is said") { rig.complaints().contains { $0.reason.contains("AccessDenied") } }
            rig.source.put(7...8, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 8 }
            rig.source.heal()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == UInt64(Rig.items.count))
    }
}
