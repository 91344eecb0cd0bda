import Dispatcher
import Journal
import StreamModel
import TestSupport
import Testing

/// `shakectl pause` and `resume`, beside a running daemon and between two.
@Suite("An operator pauses and resumes", .timeLimit(.minutes(2)))
struct DaemonPauseTests {
    private let rig = Rig(storesPositions: true)

    /// Time for an appended word to be seen, and for polls that should not come.
    private func aWhileLater() async throws {
        let waits = rig.clock.waits.count
        try await eventually("time goes by") { rig.clock.waits.count > waits + 8 }
    }

    private func say(_ deed: PauseRequest.Deed, shard: String) async throws {
        try await rig.asOperator { try await $0.say(deed, shard: shard) }
    }

    private func say(_ deed: PauseRequest.Deed) async throws {
        try await rig.asOperator { try await $0.say(deed) }
    }

    @Test("A paused table is not read until it is resumed, and then all comes, in order and once")
    func table() async throws {
        rig.source.add(FakeShard("a", 1...4), FakeShard("b", 11...14))
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "b") == 14
                    && rig.shardsRead.count == 2
            }
            try await say(.pause)
            try await eventually("nothing is read any more") { rig.shardsRead.isEmpty }
            let asked = rig.source.calls(.records).count
            rig.source.put(5...9, in: "a")
            rig.source.put(15...19, in: "b")
            try await aWhileLater()
            #expect(rig.source.calls(.records).count == asked)
            #expect(try daemon.journal.number(of: "a") == 4)
            try await say(.resume)
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 9 && daemon.journal.number(of: "b") == 19
            }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...9))
        #expect(rig.target.numbers(of: "b") == Array(11...19))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    //  a 1…4 ─── b 5…8        c 11…14
    @Test("A paused shard and its children wait, the others are read on, and shards are still discovered")
    func shard() async throws {
        rig.source.add(FakeShard("a", 1...4), FakeShard("c", 11...14))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(20)
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "c") == 14
                    && rig.shardsRead.count == 2
            }
            try await say(.pause, shard: "a")
            try await eventually("it is not read any more") { !rig.shardsRead.contains("a") }
            rig.source.put(5...6, in: "a")
            rig.source.close("a")
            rig.source.add(FakeShard("b", parent: "a", 7...8))
            rig.source.put(15...16, in: "c")
            try await eventually("the child is discovered, and the other shard read") {
                try daemon.journal.status(of: "b") != nil && daemon.journal.number(of: "c") == 16
            }
            #expect(try daemon.journal.status(of: "b") == .waitingForParent)
            #expect(try daemon.journal.number(of: "a") == 4)
            try await say(.resume, shard: "a")
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 8 }
            #expect(try daemon.journal.status(of: "a") == .done)
        }
        #expect(rig.target.numbers.filter { $0 < 11 } == Array(1...8))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A batch that is being written when the pause comes is journaled, and nothing comes twice")
    func inFlight() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            let gate = rig.target.hold { $0.numbers.contains(6) }
            rig.source.put(5...6, in: "a")
            try await eventually("the next batch is at the target") { gate.arrivals == 1 }
            try await say(.pause, shard: "a")
            try await aWhileLater()
            gate.open()
            try await eventually("it is not read any more") { !rig.shardsRead.contains("a") }
            #expect(try daemon.journal.number(of: "a") == 6)
            try await say(.resume, shard: "a")
            rig.source.put(7...7, in: "a")
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 7 }
        }
        #expect(rig.target.numbers == Array(1...7))
    }

    @Test("A pause outlasts the daemon: the next one finds it, is at rest, and goes on once it is resumed")
    func restart() async throws {
        rig.source.add(FakeShard("a", 1...4), FakeShard("b", 11...14))
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "b") == 14
            }
        }
        try await say(.pause)
        rig.source.put(5...6, in: "a")
        try await rig.runToRest()
        #expect(rig.target.numbers(of: "a") == Array(1...4), "--until-idle takes it for at rest")
        try await say(.resume)
        try await say(.pause, shard: "b")
        rig.source.put(15...16, in: "b")
        try await rig.runToRest()
        #expect(rig.target.numbers(of: "a") == Array(1...6))
        #expect(rig.target.numbers(of: "b") == Array(11...14))
        try await rig.run { daemon in
            try await eventually("it is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            try await say(.resume, shard: "b")
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 16 }
        }
        #expect(rig.target.numbers(of: "b") == Array(11...16))
    }

    @Test("What rests after a failure is at rest when it is paused, and no trouble any more")
    func resting() async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run(Rig.untilIdle) { daemon in
            try await eventually("it is tried again") { try daemon.journal.kinds(of: "a").contains("faulted") }
            try await say(.pause, shard: "a")
            try await eventually("the daemon ends by itself") { daemon.hasEnded }
        }
        #expect(rig.target.numbers.isEmpty)
    }

    @Test(
        "A scan stops after the pages in flight and goes on from there; no page is read twice, and the rest is not lost"
    )
    func scan() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            try await say(.pause)
            try await aWhileLater()
            gate.open()
            try await eventually("what was in flight is journaled") {
                try daemon.journal.table(Sample.table)?.segments.isEmpty == false
            }
            try await aWhileLater()
            let (asked, items) = (rig.source.calls(.scan).count, try daemon.journal.table(Sample.table)?.items)
            rig.source.put(7...8, in: "a")
            try await aWhileLater()
            #expect(rig.source.calls(.scan).count == asked)
            #expect(try daemon.journal.table(Sample.table)?.items == items)
            #expect(try daemon.journal.phase() == .fullSync)
            #expect(rig.target.numbers.isEmpty)
            try await say(.resume)
            try await eventually("the scan is finished, and the stream followed") {
                try daemon.journal.phase() == .incrSync && daemon.journal.number(of: "a") == 8
            }
        }
        #expect(rig.target.numbers == [7, 8])
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
        #expect(rig.target.items().count == Set(rig.target.items()).count, "no row is written twice")
    }

    @Test(
        "A table that is paused before its first scan is not anchored either, in any mode",
        arguments: [
            DaemonConfiguration.Mode.all, .full,
        ])
    func beforeTheScan(mode: DaemonConfiguration.Mode) async throws {
        rig.addScannedTable()
        // As one that was asked for again while nobody ran.
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
        }
        try await rig.asOperator { journal in
            try await journal.resync()
            try await journal.say(.pause)
        }
        let (scans, iterators) = (rig.source.calls(.scan).count, rig.source.calls(.iterator).count)
        try await rig.run(Rig.scanning(mode)) { daemon in
            try await aWhileLater()
            #expect(rig.source.calls(.scan).count == scans)
            #expect(rig.source.calls(.iterator).count == iterators)
            try await say(.resume)
            try await eventually("it is scanned again") {
                try daemon.journal.phase() == .incrSync && rig.source.calls(.scan).count > scans
            }
        }
    }

    @Test("With --mode full a pause holds up the scan, and nothing is lost of it")
    func modeFull() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Rig.scanning(.full)) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            try await say(.pause)
            try await aWhileLater()
            gate.open()
            try await aWhileLater()
            #expect(try daemon.journal.phase() == .fullSync)
            try await say(.resume)
            try await eventually("the daemon ends, the scan being finished") { daemon.hasEnded }
            #expect(try daemon.journal.phase() == .incrSync)
        }
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("What a pause of more than a day has cost is said as a loss", arguments: [LossPolicy.skip, .stop])
    func tooLong(policy: LossPolicy) async throws {
        let hours = Hours()
        rig.source.add(FakeShard("a", 1...4))
        let configuration = Rig.following(onLoss: policy)
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && !rig.shardsRead.isEmpty
            }
            try await say(.pause)
            try await eventually("it is not read any more") { !rig.shardsRead.contains("a") }
            rig.source.change("a") {
                $0.put(5...9)
                $0.trimmed = 6
            }
            hours.set(30)
            try await aWhileLater()
            #expect(try daemon.journal.checkpoint(of: Sample.key("a"))?.loss == nil)
            try await say(.resume)
            try await eventually("the loss is declared") {
                try daemon.journal.checkpoint(of: Sample.key("a"))?.loss?.lost.policy == policy
            }
            if policy == .skip {
                try await eventually("what is left comes") { try daemon.journal.number(of: "a") == 9 }
            }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4] + (policy == .skip ? [7, 8, 9] : []))
    }
}

extension Journal {
    func say(_ deed: PauseRequest.Deed, shard: String) async throws {
        let request = PauseRequest(deed, reason: "a test", author: "operator")
        while true {
            let checkpoint = try #require(try checkpoint(of: Sample.key(shard)))
            do {
                _ = try await append(try PausePlan.make(request, of: checkpoint).drafts)
                return
            } catch JournalError.conflict {
                continue  // the daemon appended in between: said again, as the command does
            }
        }
    }

    func say(_ deed: PauseRequest.Deed) async throws {
        let request = PauseRequest(deed, reason: "a test", author: "operator")
        _ = try await append(PausePlan.make(request, of: Sample.table, try table(Sample.table)).drafts)
    }

    func resync() async throws {
        let request = ResyncRequest(table: Sample.table, reason: "a test", author: "operator")
        let plan = try ResyncPlan.make(
            request, of: try table(Sample.table), among: try checkpoints(), isScanned: true)
        _ = try await append(plan.drafts)
    }
}
