import Dispatcher
import Journal
import StreamModel
import Synchronization
import TestSupport
import Testing

/// DESIGN 4.1 to 4.3, with the real journal.
@Suite("A daemon follows a shard", .timeLimit(.minutes(2)))
struct DaemonFollowingTests {
    private let rig = Rig()

    @Test("Every record is written once and in order, and the journal ends where the target does")
    func follows() async throws {
        rig.source.add(FakeShard("a", 1...50, pageSize: 7))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 50 }
            rig.source.put(51...60, in: "a")
            try await eventually("what came later is, too") { try daemon.journal.number(of: "a") == 60 }
        }
        #expect(rig.target.numbers == Array(1...60))
        try rig.journal { journal in
            let advances = try journal.events(of: "a").compactMap(\.advance)
            #expect(advances.reduce(0) { $0 + $1.records } == 60)
            #expect(advances.map(\.sequenceNumber) == rig.target.applied.compactMap(\.upTo))
            #expect(advances.map { $0.targetToken?.text } == (1...advances.count).map { "batch \($0)" })
            _ = try journal.verify { _ in }
        }
    }

    @Test("The last page's records are in the target and in the journal before the shard is done")
    func lastPage() async throws {
        rig.source.add(FakeShard("a", 1...10, isClosed: true, pageSize: 5))
        let gate = rig.target.hold { $0.numbers.contains(10) }
        try await rig.run { daemon in
            try await eventually("the last batch is at the target") { gate.arrivals == 1 }
            #expect(try daemon.journal.status(of: "a") == .inProcessing)
            gate.open()
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
        }
        #expect(rig.target.numbers == Array(1...10))
        try rig.journal { journal in
            let events = try journal.events(of: "a")
            let last = try #require(events.firstIndex { $0.advance?.sequenceNumber == Sample.number(10) })
            let done = try #require(events.firstIndex { $0.newStatus == .done })
            #expect(last < done)
        }
    }

    @Test("Nothing is journaled before it is durable in the target")
    func journalFollowsTarget() async throws {
        rig.source.add(FakeShard("a", 1...6, pageSize: 2))
        let gate = rig.target.hold { $0.numbers.contains(1) }
        try await rig.run { daemon in
            rig.target.witness { [journal = daemon.journal] batch in
                let claimed = try journal.number(of: "a") ?? 0
                guard claimed < batch.numbers.first ?? 0 else {
                    throw NeverCame(description: "\(claimed) was journaled and \(batch.numbers) is only being written")
                }
            }
            try await eventually("the first batch is at the target") { gate.arrivals == 1 }
            try await eventually("the window is full") { rig.source.calls(.records, of: "a").count >= 3 }
            #expect(try daemon.journal.number(of: "a") == nil)
            gate.open()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.unwitnessed == [])
    }

    @Test("Taking a shard up is three events in one run of positions: queried, iterator_resolved, status_changed")
    func takenUp() async throws {
        let names = (1...20).map { "shard-\($0)" }
        for name in names { rig.source.add(FakeShard(name, 1...1)) }
        try await rig.run { daemon in
            try await eventually("all shards are read") {
                try names.allSatisfy { try daemon.journal.number(of: $0) == 1 }
            }
        }
        try rig.journal { journal in
            for name in names {
                let events = try journal.events(of: name)
                let first = try #require(events.firstIndex { $0.payload.kind == "queried" })
                let three = try #require(events.count >= first + 3 ? events[first..<first + 3] : nil)
                #expect(three.map(\.payload.kind) == ["queried", "iterator_resolved", "status_changed"])
                let position = three[first].position
                #expect(three.map(\.position) == [position, position.next, position.next.next])
                #expect(three.last?.newStatus == .inProcessing)
                #expect(three[first + 1].resolved?.rule == "trim_horizon")
            }
        }
    }

    @Test("An empty page is not the end: reading goes on from the iterator that it gave")
    func emptyPages() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true, pageSize: 2))
        rig.source.change("a") { $0.emptyPages = 5 }
        try await rig.run { daemon in
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
        }
        #expect(rig.target.numbers == Array(1...4))
        let used = rig.source.calls(.records, of: "a").compactMap(\.iterator)
        #expect(used.count == 7)
        #expect(Set(used).count == used.count, "no iterator is used twice")
        #expect(rig.source.calls(.iterator, of: "a").count == 1, "and none is asked for anew")
    }

    @Test(
        "After an expired iterator reading goes on after the last journaled number, without loss or repeat"
    )
    func expired() async throws {
        rig.source.add(FakeShard("a", 1...10, pageSize: 2))
        try await rig.run { daemon in
            for end in stride(from: 20, through: 60, by: 10) {
                try await eventually("all so far is journaled") { try daemon.journal.number(of: "a") == end - 10 }
                rig.source.expireIterators()
                rig.source.put(end - 9...end, in: "a")
            }
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 60 }
        }
        #expect(rig.target.numbers == Array(1...60))
        let asked = rig.source.calls(.iterator, of: "a").dropFirst()
        #expect(asked.count >= 5)
        #expect(asked.allSatisfy { $0.type == .afterSequenceNumber })
    }

    @Test("An iterator that expires while a batch is written is replaced once that batch is journaled, not before")
    func expiredWhileWriting() async throws {
        rig.source.add(FakeShard("a", 1...4, pageSize: 4))
        let gate = rig.target.hold()
        try await rig.run { daemon in
            try await eventually("the batch is at the target") { gate.arrivals == 1 }
            rig.source.expireIterators()
            let pages = rig.source.calls(.records, of: "a").count
            rig.source.put(5...8, in: "a")
            try await eventually("the service said so") { rig.source.calls(.records, of: "a").count > pages }
            #expect(rig.source.calls(.iterator, of: "a").count == 1)
            gate.open()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        #expect(rig.target.numbers == Array(1...8))
        #expect(rig.source.calls(.iterator, of: "a").last?.number == Sample.number(4))
    }

    @Test("While the target writes, pages are fetched ahead, but no more than the window holds")
    func window() async throws {
        rig.source.add(FakeShard("a", 1...40, pageSize: 1))
        let gate = rig.target.hold()
        try await rig.run { daemon in
            try await eventually("the window is full") {
                rig.source.calls(.records, of: "a").count == ShardMachine.window
            }
            // The journal is looked at every 200 ms, so that time did go by.
            let looks = rig.clock.waits.count
            try await eventually("time goes by") { rig.clock.waits.count > looks + 2 }
            #expect(rig.source.calls(.records, of: "a").count == ShardMachine.window)
            gate.open()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 40 }
        }
        #expect(rig.target.numbers == Array(1...40))
    }

    @Test("However many shards are behind a slow target, no more bytes are held than the budget has")
    func budget() async throws {
        let names = (1...6).map { "shard-\($0)" }
        for name in names { rig.source.add(FakeShard(name, 1...5, pageSize: 1, weight: 600 << 10)) }
        var configuration = Rig.following
        configuration.memoryBudget = 4 << 20
        let gate = rig.target.hold()
        try await rig.run(configuration) { daemon in
            try await eventually("the budget is used up") { rig.load.most >= 3 << 20 }
            gate.open()
            try await eventually("all is journaled") { try names.allSatisfy { try daemon.journal.number(of: $0) == 5 } }
        }
        #expect(rig.load.most <= 4 << 20)
        #expect(names.allSatisfy { rig.target.numbers(of: $0) == Array(1...5) })
    }

    @Test("An idle shard is asked ever less often, down to once a second")
    func pacing() async throws {
        rig.source.add(FakeShard("a"))
        try await rig.run { _ in
            try await eventually("the pace is at its slowest") { rig.clock.waits.count { $0 == .seconds(1) } >= 3 }
        }
        let polls = rig.clock.waits.filter { [125, 250, 500, 1000].map(Duration.milliseconds).contains($0) }
        #expect(
            polls.prefix(6) == [
                .milliseconds(125), .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(1), .seconds(1),
            ])
    }

    @Test("At a stop shards that are asleep end at once, and none of them is asked for another page")
    func stopAsleep() async throws {
        let shards = (0..<20).map { "s\($0)" }
        for shard in shards { rig.source.add(FakeShard(shard)) }
        var configuration = Rig.following
        configuration.maximumPoll = .seconds(3600)
        var asked = 0
        try await rig.run(configuration) { _ in
            // After the twelfth empty page in a row the wait is one of 256 s, which are more than one of the rig's.
            try await eventually("all sleep for long") {
                shards.allSatisfy { rig.source.calls(.records, of: $0).count == 12 }
            }
            asked = rig.source.calls(.records).count
        }
        #expect(rig.source.calls(.records).count == asked)
    }

    @Test("With --until-idle it ends by itself, and only when all is journaled")
    func untilIdle() async throws {
        rig.source.add(FakeShard("a", 1...30, pageSize: 3))
        let outcome = try await rig.runToRest()
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.numbers == Array(1...30))
        #expect(rig.target.isClosed)
        #expect(try rig.journal { try $0.number(of: "a") } == 30)
    }

    @Test("A target that holds a batch is not idle, however long it takes")
    func slowIsNotIdle() async throws {
        rig.source.add(FakeShard("a", 1...3))
        let gate = rig.target.hold()
        try await rig.run(Rig.untilIdle) { daemon in
            try await eventually("the batch is at the target") { gate.arrivals == 1 }
            try await eventually("pages come up empty beside it") { rig.source.calls(.records, of: "a").count >= 4 }
            let patience = ContinuousClock.now + (Rig.untilIdle.untilIdle ?? .zero) * 2
            try await eventually("more than the patience goes by") { ContinuousClock.now > patience }
            #expect(!daemon.hasEnded)
            // A daemon that believed itself idle would finish what is in flight, and read no more.
            rig.source.put(4...6, in: "a")
            gate.open()
            try await eventually("it ends by itself") { daemon.hasEnded }
        }
        #expect(rig.target.numbers == Array(1...6))
        #expect(try rig.journal { try $0.number(of: "a") } == 6)
    }

    // MARK: - Where a shard starts

    @Test("With --start-at latest nothing older is read, and everything from the anchor on is")
    func latest() async throws {
        rig.source.add(FakeShard("old", 1...3, isClosed: true), FakeShard("a", 4...6))
        var configuration = Rig.following
        configuration.startAt = .latest
        let gate = rig.source.hold(.records)
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { gate.arrivals == 1 }
            rig.source.put(7...9, in: "a")
            gate.open()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
            #expect(try daemon.journal.status(of: "old") == .notNeeded)
        }
        #expect(rig.target.numbers == [7, 8, 9])
        #expect(
            try rig.journal { try $0.events(of: "a").compactMap(\.resolved).map(\.rule) }
                == ["unanchored_latest", "handed_over"])
    }

    @Test(
        "A shard that is discovered late and has no known ancestor is read from its start, also with --start-at latest")
    func discoveredLate() async throws {
        rig.source.add(FakeShard("a", 1...3))
        var configuration = Rig.following
        configuration.startAt = .latest
        configuration.discoveryInterval = .seconds(1)
        try await rig.run(configuration) { daemon in
            try await eventually("the first is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.add(FakeShard("b", parent: "nobody knows", 4...6))
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
        #expect(rig.source.calls(.iterator, of: "b").map(\.type) == [.trimHorizon])
    }

    @Test("The stored anchor of a run that read nothing is used again while it can be alive")
    func storedAnchor() async throws {
        rig.source.add(FakeShard("a", 1...3))
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.put(4...6, in: "a")
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
        #expect(rig.source.calls(.iterator, of: "a").count == 1)
    }

    /// Row 4 of DESIGN 4.1, its end.
    @Test("Once that anchor is dead, the shard is read from its start without what is older than the anchor's second")
    func deadAnchor() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.put(1...3, at: .now() + .seconds(-100)) }
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.change("a") { $0.put(4...6, at: .now() + .seconds(1)) }
        try await rig.run(configuration, ahead: .seconds(1000)) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
        #expect(rig.source.calls(.iterator, of: "a").map(\.type) == [.latest, .trimHorizon])
    }

    @Test("The anchor's second is the service's, whatever this machine's clock says")
    func deadAnchorByAnotherClock() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.put(1...3, at: .now() + .seconds(-400)) }
        rig.source.setClockLead(.seconds(-300))
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.expireIterators()
        rig.source.change("a") { $0.put(4...6, at: .now() + .seconds(-299)) }
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
    }

    @Test("The same where the service calls it expired before its time")
    func anchorCalledExpired() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.put(1...3, at: .now() + .seconds(-100)) }
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.expireIterators()
        rig.source.change("a") { $0.put(4...6, at: .now() + .seconds(1)) }
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [4, 5, 6])
    }

    @Test(
        "A table that is added to the configuration leaves the first one's place as it was",
        arguments: [DaemonConfiguration.Mode.incr, .all])
    func tableAdded(mode: DaemonConfiguration.Mode) async throws {
        let added = TableName("customers")
        rig.source.add(FakeTable(added))
        // The same names of shards are in both, as they may be.
        rig.source.add(FakeShard("a"), FakeShard("z", of: added, 101...103))
        for table in [Sample.table, added] { rig.source.change(table) { $0.items = ["of \(table)"] } }
        var configuration = Rig.following
        configuration.mode = mode
        try await rig.run(configuration) { daemon in
            try await eventually("the first is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(1...5, in: "a")
            try await eventually("the first is read") { try daemon.journal.number(of: "a") == 5 }
        }
        configuration.tables.append(added)
        let before = rig.source.calls.count
        try await rig.run(configuration) { daemon in
            try await eventually("the other is followed") {
                try daemon.journal.table(added)?.phase == .incrSync && rig.source.calls(.records, of: "z").count > 1
            }
            rig.source.put(6...7, in: "a")
            rig.source.put(104...105, in: "z")
            try await eventually("both are read") {
                try daemon.journal.number(of: "a") == 7 && rig.target.numbers(of: "z").last == 105
            }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...7))
        let asked = rig.source.calls.dropFirst(before).filter { $0.operation == .iterator && $0.object == "a" }
        #expect(asked.map(\.number) == [Sample.number(5)])
        #expect(rig.target.numbers(of: "z") == (mode == .incr ? Array(101...105) : [104, 105]))
        for table in [Sample.table, added] { #expect(rig.target.items(of: table).count == (mode == .incr ? 0 : 1)) }
    }

    @Test(
        "What is left of a shard is read, however long it was idle before it was closed",
        arguments: [false, true])
    func closedAfterLongIdleness(isRestarted: Bool) async throws {
        let hours = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + hours.withLock { $0 } }
        rig.source.add(FakeShard("a", 1...5))
        func rest(_ daemon: Running) async throws {
            rig.source.change("a") { shard in
                shard.put(6...9, at: now())
                // Nothing tells an end from a pause but the service's word.
                shard.emptyPages = 3
                shard.isClosed = true
            }
            rig.source.add(FakeShard("b", parent: "a", 10...12))
            try await eventually("the rest is read, and what follows") { try daemon.journal.number(of: "b") == 12 }
        }
        try await rig.run(now: now) { daemon in
            try await eventually("it is read in part") { try daemon.journal.number(of: "a") == 5 }
            for _ in 1...60 {
                let pages = rig.source.calls(.records, of: "a").count
                hours.withLock { $0 += .seconds(3600) }
                try await eventually("an hour goes by") { rig.source.calls(.records, of: "a").count >= pages + 2 }
            }
            #expect(try daemon.journal.status(of: "a") == .inProcessing)
            if !isRestarted { try await rest(daemon) }
        }
        if isRestarted { try await rig.run(now: now) { try await rest($0) } }
        #expect(rig.target.numbers == Array(1...12))
        #expect(try rig.journal { try $0.status(of: "a") } == .done)
    }
}
