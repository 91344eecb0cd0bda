import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Synchronization
import TestSupport
import Testing

/// What the stream no longer has: a loss is said, and what was never promised is none.
@Suite("A daemon whose stream forgets", .timeLimit(.minutes(2)))
struct DaemonLossTests {
    private let rig = Rig()

    private func stopped(by outcome: Result<Void, DaemonError>) -> LossCause? {
        guard case .failure(.rangeLost(_, _, let lost)) = outcome, lost.policy == .stop else { return nil }
        return lost.cause
    }

    @Test("A shard that ages out while it is read is a loss: the table stops, and the journal says what is lost")
    func goneWhileRead() async throws {
        rig.source.add(FakeShard("a", 1...4))
        let outcome = try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            rig.source.remove("a")
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: outcome) == .shardGone)
        let loss = try #require(try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.loss })
        #expect((loss.lost.cause, loss.lost.from, loss.lost.policy) == (.shardGone, Sample.number(4), .stop))
        #expect(try rig.journal { try $0.table(Sample.table)?.phase } == .incrSync)
        #expect(try rig.journal { try $0.status(of: "a") } == .inProcessing)
    }

    @Test("The same where it is noticed when an expired iterator is replaced")
    func goneWhenResolved() async throws {
        rig.source.add(FakeShard("a", 1...4))
        let outcome = try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            rig.source.fail(.records, of: "a", with: .named("ExpiredIteratorException"), times: 1)
            rig.source.fail(.iterator, of: "a", with: .named("ResourceNotFoundException"))
            rig.source.change("a") { $0.isListed = false }
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: outcome) == .shardGone)
    }

    @Test(
        "A shard that is listed and yet said not to be there is asked for again",
        arguments: [
            FakeStream.Operation.iterator, .records,
        ])
    func listedAndDenied(operation: FakeStream.Operation) async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.fail(operation, of: "a", with: .named("ResourceNotFoundException"), times: 3)
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4])
        let faults = try rig.journal { try $0.events(of: "a").compactMap(\.fault) }
        #expect(faults.map(\.code) == ["ResourceNotFoundException"])
    }

    @Test("A shard that goes before it was ever read is over, and its child is read")
    func goneBeforeRead() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...6))
        let gate = rig.source.hold(.iterator, of: "a")
        try await rig.run { daemon in
            try await eventually("the shard is asked for") { gate.arrivals == 1 }
            rig.source.remove("a")
            gate.open()
            try await eventually("its child is read") { try daemon.journal.number(of: "b") == 6 }
            #expect(try daemon.journal.status(of: "a") == .notNeeded)
        }
        #expect(rig.target.numbers == [5, 6])
    }

    @Test("A shard that goes before it was pinned to its newest record stops nothing: none of it was promised")
    func goneBeforeAnchored() async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.fail(.iterator, of: "a", with: .named("InternalServerError", status: 500))
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is known") { try daemon.journal.status(of: "a") == .notProcessed }
        }
        rig.source.heal()
        rig.source.remove("a")
        rig.source.add(FakeShard("b", parent: "a", 5...6))
        try await rig.run(configuration) { daemon in
            try await eventually("its child is read, or the daemon ends") {
                if daemon.hasEnded { return true }
                return try daemon.journal.number(of: "b") == 6
            }
        }
        #expect(rig.target.numbers == [5, 6])
        #expect(try rig.journal { try $0.status(of: "a") } == .notNeeded)
    }

    @Test("The same where it was taken up by an earlier run")
    func goneAfterRestart() async throws {
        rig.source.add(FakeShard("a"), FakeShard("b"))
        try await rig.run { daemon in
            try await eventually("the shards are taken up") {
                try daemon.journal.status(of: "a") == .inProcessing && daemon.journal.status(of: "b") == .inProcessing
            }
        }
        rig.source.remove("a")
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: outcome) == .shardGone)
    }

    @Test(
        "A daemon that ends when idle waits for a shard that is to be tried again",
        arguments: [
            "ResourceNotFoundException", "ExpiredIteratorException", "TrimmedDataAccessException",
        ])
    func untilIdle(code: String) async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.fail(.records, of: "a", with: .named(code), times: 5)
        let outcome = try await rig.runToRest()
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.numbers == [1, 2, 3, 4])
    }

    @Test("A shard that was followed for days without a record, and is gone, may have had some since")
    func goneAfterDays() async throws {
        rig.source.add(FakeShard("a"))
        try await rig.run { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.remove("a")
        let outcome = try await rig.run(ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: outcome) == .stoodStill)
    }

    @Test(
        "A process that stood still for a day says what left the stream, before it goes on with the oldest record left",
        arguments: [FakeStream.Operation.iterator, .records])
    func suspended(operation: FakeStream.Operation) async throws {
        rig.source.add(FakeShard("p", 1...2, isClosed: true), FakeShard("a", parent: "p", 3...8))
        let gate = rig.source.hold(operation, of: "a")
        let asleep = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + asleep.withLock { $0 } }
        let outcome = try await rig.run(now: now) { daemon in
            try await eventually("the shard is asked for") { gate.arrivals == 1 }
            asleep.withLock { $0 = .seconds(30 * 3600) }
            rig.source.change("a") { $0.trimmed = 2 }
            rig.source.expireIterators()
            gate.open()
            try await eventually("the daemon ends, or goes on") {
                if daemon.hasEnded { return true }
                return try daemon.journal.number(of: "a") == 8
            }
        }
        #expect(stopped(by: outcome) == .stoodStill)
        #expect(rig.target.numbers == [1, 2])
    }

    @Test("Records that leave the stream before the first reading of a fresh start stop nothing (PEERS row 24)")
    func trimmedBeforeRead() async throws {
        rig.source.add(FakeShard("a", 1...6))
        let gate = rig.source.hold(.records, of: "a")
        try await rig.run { daemon in
            try await eventually("the first page is asked for") { gate.arrivals == 1 }
            rig.source.change("a") { $0.trimmed = 2 }
            gate.open()
            try await eventually("all that is left is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [3, 4, 5, 6])
        #expect(try rig.journal { try $0.table(Sample.table)?.phase } == .incrSync)
    }

    @Test("The same after an operator's rewind to the start: a replay brings what is still there")
    func trimmedBeforeReplay() async throws {
        rig.source.add(FakeShard("a", 1...6))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        let gate = rig.source.hold(.records, of: "a")
        try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .start) }
        try await rig.run { daemon in
            try await eventually("the first page is asked for") { gate.arrivals == 1 }
            rig.source.change("a") { $0.trimmed = 2 }
            gate.open()
            try await eventually("all that is left is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6])
        #expect(try rig.journal { try $0.table(Sample.table)?.phase } == .incrSync)
    }

    @Test("A shard that turns up after the scan of an empty stream, and goes before it is read, is a loss")
    func goneAfterEmptyListing() async throws {
        var configuration = Rig.following
        configuration.mode = .all
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the stream is followed") {
                try daemon.journal.table(Sample.table)?.phase == .incrSync
            }
            rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", 5...6, isClosed: true))
            daemon.askToStop()
        }
        #expect(throws: Never.self) { try outcome.get() }
        let gate = rig.source.hold(.iterator, of: "a")
        let second = try await rig.run(configuration) { daemon in
            try await eventually("the shard is asked for") { gate.arrivals == 1 }
            rig.source.remove("a")
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: second) == .shardGone)
    }

    @Test("Of a child, whose parent was followed, that is a loss")
    func trimmedChild() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...8))
        let gate = rig.source.hold(.records, of: "b")
        let outcome = try await rig.run { daemon in
            try await eventually("the child's first page is asked for") { gate.arrivals == 1 }
            rig.source.change("b") { $0.trimmed = 2 }
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(stopped(by: outcome) == .trimmed)
        #expect(rig.target.numbers == [1, 2, 3, 4])
    }

    @Test("A source that calls each iterator expired is asked after growing waits, and read once it is well")
    func alwaysExpired() async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.fail(.records, of: "a", with: .named("ExpiredIteratorException"))
        try await rig.run { daemon in
            try await eventually("it was tried often") { rig.source.calls(.iterator, of: "a").count >= 12 }
            let waits = rig.clock.waits.filter { $0 >= .milliseconds(100) && $0 < .seconds(60) }.count
            // An iterator to take the shard up with, and one more try.
            #expect(rig.source.calls(.iterator, of: "a").count <= 2 * (waits + 1))
            rig.source.heal()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        let faults = try rig.journal { try $0.events(of: "a").compactMap(\.fault) }
        #expect(faults.map(\.code) == ["ExpiredIteratorException"], "the first of a row is journaled, not each")
    }
}
