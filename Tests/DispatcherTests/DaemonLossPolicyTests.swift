import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Synchronization
import Testing

/// What follows a loss: the policy's part, and the operator's.
@Suite("A table that has lost records", .timeLimit(.minutes(2)))
struct DaemonLossPolicyTests {
    private let rig = Rig()

    private func following(_ policy: LossPolicy, mode: DaemonConfiguration.Mode = .incr) -> DaemonConfiguration {
        var configuration = Rig.following
        configuration.mode = mode
        configuration.onLoss = LossPolicies(policy)
        return configuration
    }

    /// A child that was followed until 4, and whose next records have left the stream up to 6.
    private func loseFive() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.change("a") {
            $0.put(5...9)
            $0.trimmed = 6
        }
    }

    private func loss(of shard: String = "a") throws -> Loss? {
        try rig.journal { try $0.checkpoint(of: Sample.key(shard))?.loss }
    }

    private func kinds(_ kind: String) throws -> [Event] {
        try rig.journal { try $0.everything().filter { $0.payload.kind == kind } }
    }

    @Test("Where it stops, it stops with what it has, and says what is lost from where to where")
    func stops() async throws {
        try await loseFive()
        let outcome = try await rig.run(following(.stop)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome, case .rangeLost = error else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 69)
        #expect(error.description.contains("after 4 and before 7"))
        #expect(rig.target.numbers == [1, 2, 3, 4])
        let loss = try #require(try loss())
        #expect((loss.lost.from, loss.lost.to, loss.lost.cause) == (Sample.number(4), Sample.number(7), .trimmed))
    }

    @Test("A start that meets the same loss again does not say it again")
    func saysItOnce() async throws {
        try await loseFive()
        for _ in 1...3 {
            try await rig.run(following(.stop)) { daemon in
                try await eventually("the daemon ends") { daemon.hasEnded }
            }
        }
        #expect(try kinds("range_lost").count == 1)
    }

    @Test("Where it skips, it goes on with the oldest record left, and the loss waits to be acknowledged")
    func skips() async throws {
        try await loseFive()
        try await rig.run(following(.skip)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9])
        #expect(try loss()?.isAcknowledged == false)
        #expect(try kinds("range_lost").count == 1)
    }

    @Test("A source that calls everything trimmed is asked after growing waits, and the loss is said once")
    func everythingTrimmed() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.put(5...9, in: "a")
        rig.source.fail(.iterator, of: "a", with: .named("TrimmedDataAccessException"))
        try await rig.run(following(.skip)) { daemon in
            try await eventually("it was tried often") { rig.source.calls(.iterator, of: "a").count >= 12 }
            rig.source.heal()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == Array(1...9))
        #expect(try kinds("range_lost").count == 1)
    }

    @Test("Where a shard is gone and skipped, it is lost and not done, and its children are read")
    func skipsGone() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.remove("a")
        rig.source.add(FakeShard("b", parent: "a", 8...9))
        try await rig.run(following(.skip)) { daemon in
            try await eventually("the child is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(try rig.journal { try $0.status(of: "a") } == .lost)
        #expect(try loss()?.lost.cause == .shardGone)
    }

    @Test("Where it resyncs, the table is scanned again without an operator, and followed")
    func resyncs() async throws {
        rig.source.change(Sample.table) { $0.items = ["{\"id\":{\"S\":\"x\"}}"] }
        rig.source.add(FakeShard("a"))
        try await rig.run(following(.resync, mode: .all)) { daemon in
            try await eventually("it is scanned") { try daemon.journal.table(Sample.table)?.phase == .incrSync }
            rig.source.put(1...4, in: "a")
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.change("a") {
            $0.put(5...9)
            $0.trimmed = 6
        }
        try await rig.run(following(.resync, mode: .all)) { daemon in
            try await eventually("it is scanned again") { rig.target.items().count == 2 }
            rig.source.put(10...11, in: "a")
            try await eventually("it is followed from there") { try daemon.journal.number(of: "a") == 11 }
            #expect(!daemon.hasEnded)
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 10, 11])
        #expect(try loss()?.lost.policy == .resync)
    }

    @Test(
        "An operator's word takes a stopped table on, beside the running daemon", arguments: [LossPolicy.skip, .resync])
    func operatorActs(remedy: LossPolicy) async throws {
        let other = TableName("users")
        rig.source.add(FakeTable(other))
        rig.source.add(FakeShard("z", of: other))
        try await loseFive()
        var configuration = following(.stop, mode: remedy == .resync ? .all : .incr)
        configuration.tables = [Sample.table, other]
        try await rig.run(configuration) { daemon in
            try await eventually("the table stops") {
                try daemon.journal.table(Sample.table)?.lastFault?.code == "RangeLost"
            }
            rig.source.put(101...102, in: "z")
            try await eventually("the other is followed") { rig.target.numbers(of: "z") == [101, 102] }
            try await rig.asOperator { journal in
                let checkpoint = try #require(try journal.checkpoint(of: Sample.key("a")))
                let word = LossAcknowledged(author: "operator", reason: "a test", remedy: remedy)
                _ = try await journal.append([
                    Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.lossAcknowledged(word)])
                ])
            }
            if remedy == .resync {
                try await eventually("it is anchored again") {
                    try daemon.journal.table(Sample.table)?.scanFinished != nil
                }
                rig.source.put(10...11, in: "a")
            }
            try await eventually("it goes on") {
                try daemon.journal.number(of: "a") == (remedy == .skip ? 9 : 11)
            }
        }
        #expect(rig.target.numbers(of: "a") == (remedy == .skip ? [1, 2, 3, 4, 7, 8, 9] : [1, 2, 3, 4, 10, 11]))
        #expect(try loss() == nil, "what an operator has answered needs no second word")
    }

    @Test("A daemon that is told to stop while a table has stopped for a loss says so by its exit")
    func exitSaysSo() async throws {
        let other = TableName("users")
        rig.source.add(FakeTable(other))
        rig.source.add(FakeShard("z", of: other))
        try await loseFive()
        var configuration = following(.stop)
        configuration.tables = [Sample.table, other]
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the table stops") {
                try daemon.journal.table(Sample.table)?.lastFault?.code == "RangeLost"
            }
            daemon.askToStop()
        }
        guard case .failure(.rangeLost) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("A policy of its own goes before the one for all")
    func policyOfTable() {
        let policies = LossPolicies(.resync, tables: [Sample.table: .skip])
        #expect(policies[Sample.table] == .skip)
        #expect(policies[TableName("users")] == .resync)
    }

    // MARK: - Standing still

    @Test("An operator's rewind at the very moment of a loss does not hide it")
    func rewoundAfterAnchor() async throws {
        rig.source.add(FakeShard("a", 1...4))
        var configuration = following(.skip)
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is read") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.change("a") {
            $0.put(5...9)
            $0.trimmed = 6
        }
        // The daemon doesn't look for what others append; it meets it.
        configuration.watchInterval = .seconds(100_000)
        // What is left of the shard is asked for before the loss is appended.
        let gate = rig.source.hold(.iterator, of: "a")
        _ = try await rig.asOperator { other in
            try await rig.run(configuration, ahead: .seconds(25 * 3600)) { daemon in
                try await eventually("the loss is about to be declared") { gate.arrivals > 0 }
                try await other.rewind(Sample.key("a"), to: .start)
                gate.open()
                try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
            }
        }
        #expect(try loss()?.lost.cause == .stoodStill)
    }

    @Test("However often an operator sets an old shard back to its start, nothing is lost that was delivered before")
    func rewoundTwice() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        let later = Duration.seconds(40 * 3600)
        rig.source.change("a") { $0.put(5...6, at: .now() + later) }
        try await rig.run(ahead: later) { daemon in
            try await eventually("what is new is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        for _ in 1...2 { try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .start) } }
        try await rig.run(following(.stop), ahead: later + .seconds(3600)) { daemon in
            try await eventually("all is read again") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(try kinds("range_lost").isEmpty)
    }

    @Test("What leaves the stream between a loss that was skipped and the next start is a loss too")
    func skippedAndStopped() async throws {
        try await loseFive()
        // It never gets to what is left.
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run(following(.skip)) { daemon in
            try await eventually("the loss is declared") { try daemon.journal.checkpoint(of: Sample.key("a"))?.loss != nil }
        }
        rig.source.heal()
        rig.source.change("a") { $0.trimmed = 8 }
        try await rig.run(following(.skip), ahead: .seconds(10 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 9])
        #expect(try kinds("range_lost").count == 2)
        let loss = try #require(try loss())
        #expect((loss.lost.from, loss.lost.to) == (Sample.number(4), Sample.number(9)))
    }

    @Test("A shard that was known for more than a day and never read may have lost records without a word")
    func stoodStill() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...9))
        rig.source.fail(.records, of: "b", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the child is taken up") { try daemon.journal.status(of: "b") == .inProcessing }
        }
        rig.source.heal()
        rig.source.change("b") { $0.trimmed = 2 }
        let outcome = try await rig.run(following(.skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(throws: Never.self) { try outcome.get() }
        let loss = try #require(try loss(of: "b"))
        #expect((loss.lost.cause, loss.lost.from, loss.lost.to) == (.stoodStill, nil, Sample.number(7)))
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9])
    }

    @Test("So may its child, whose parent's loss vouches for nothing that came after it")
    func stoodStillBelow() async throws {
        rig.source.add(
            FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...6, isClosed: true),
            FakeShard("c", parent: "b", 7...9))
        rig.source.fail(.records, of: "b", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the child is taken up") { try daemon.journal.status(of: "b") == .inProcessing }
        }
        rig.source.heal()
        rig.source.change("b") { $0.trimmed = 1 }
        rig.source.change("c") { $0.trimmed = 1 }
        try await rig.run(following(.skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "c") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 6, 8, 9])
        #expect(try loss(of: "b")?.lost.cause == .stoodStill)
        #expect(try loss(of: "c")?.lost.cause == .stoodStill)
    }

    @Test("So may its child, where the parent is given up on an operator's word")
    func stoodStillBelowGivenUp() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...9))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the parent is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.heal()
        rig.source.remove("a")
        rig.source.change("b") { $0.trimmed = 2 }
        // It stood still, and then it is gone.
        for cause in [LossCause.stoodStill, .shardGone] {
            try await rig.run(following(.stop), ahead: .seconds(25 * 3600)) { daemon in
                try await eventually("the daemon ends") { daemon.hasEnded }
            }
            #expect(try loss()?.lost.cause == cause)
            try await rig.asOperator { journal in
                let checkpoint = try #require(try journal.checkpoint(of: Sample.key("a")))
                let word = LossAcknowledged(author: "operator", reason: "", remedy: .skip)
                _ = try await journal.append([
                    Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.lossAcknowledged(word)])
                ])
            }
        }
        try await rig.run(following(.stop), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the daemon ends, or goes on") {
                if daemon.hasEnded { return true }
                return try daemon.journal.number(of: "b") == 9
            }
        }
        #expect(try loss(of: "b")?.lost.cause == .stoodStill)
        #expect(rig.target.numbers.isEmpty)
    }

    @Test("So may one that was anchored at its newest record and never brought one")
    func stoodStillAtAnchor() async throws {
        rig.source.add(FakeShard("a", 1...4))
        var configuration = following(.stop)
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        let outcome = try await rig.run(configuration, ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.rangeLost(_, _, let lost)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(lost.cause == .stoodStill)
    }

    @Test("A shard that was silent for days, and said so, has lost nothing when its last record leaves the stream")
    func silentForDays() async throws {
        let days = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + days.withLock { $0 } }
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run(now: now) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            // Time goes by a minute at each look.
            try await eventually("it says that it is in step") {
                days.withLock { $0 += .seconds(61) }
                return try daemon.journal.kinds(of: "a").contains("in_step")
            }
        }
        // A day after its record, less than one after its word.
        days.withLock { $0 = max($0, .seconds(25 * 3600)) }
        rig.source.change("a") { $0.trimmed = 4 }
        try await rig.asOperator { journal in
            let checkpoint = try #require(try journal.checkpoint(of: Sample.key("a")))
            _ = try await journal.append([
                Draft(
                    shard: checkpoint.shard, expecting: checkpoint.revision,
                    [.inStep(InStep(until: now() + .seconds(-3600)))])
            ])
        }
        rig.source.put(5...7, in: "a")
        rig.source.fail(.iterator, of: "a", with: .named("TrimmedDataAccessException"), times: 1)
        try await rig.run(now: now) { daemon in
            try await eventually("the new ones are journaled") { try daemon.journal.number(of: "a") == 7 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6, 7])
        #expect(try loss() == nil)
        #expect(try rig.journal { try $0.events(of: "a").contains { $0.resolved?.rule == "in_step_horizon" } })
    }

    @Test(
        "A shard that came and went while nobody looked is a loss of the one that follows it", arguments: [true, false])
    func cameAndWent(longAgo: Bool) async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        // `b`, between the two, has aged out.
        rig.source.remove("a")
        rig.source.add(FakeShard("c", parent: "b", 7...9))
        let hours = longAgo ? 25 : 2
        try await rig.run(following(.skip), ahead: .seconds(hours * 3600)) { daemon in
            try await eventually("what is there is journaled") { try daemon.journal.number(of: "c") == 9 }
        }
        #expect(try loss(of: "c")?.lost.cause == (longAgo ? .stoodStill : nil))
    }

    @Test("A line of shards that roll over without a record loses nothing, however long it is followed")
    func idleForDays() async throws {
        let hours = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + hours.withLock { $0 } }
        rig.source.add(FakeShard("s0"))
        var configuration = following(.stop)
        configuration.startAt = .latest
        try await rig.run(configuration, now: now) { daemon in
            for generation in 0..<9 {
                let shard = "s\(generation)"
                try await eventually("\(shard) is read") { try daemon.journal.status(of: shard) == .inProcessing }
                let pages = rig.source.calls(.records, of: shard).count
                for minute in 1...4 {
                    hours.withLock { $0 += .seconds(3600) }
                    try await eventually("an hour goes by") {
                        rig.source.calls(.records, of: shard).count >= pages + 2 * minute
                    }
                }
                rig.source.add(FakeShard("s\(generation + 1)", parent: shard))
                rig.source.close(shard)
            }
            try await eventually("the last is read") { try daemon.journal.status(of: "s9") == .inProcessing }
            #expect(!daemon.hasEnded)
        }
        #expect(try kinds("range_lost").isEmpty)
    }

    @Test("So is all of a line of descent that is first seen after more than a day, save what was read above it")
    func lineSeenLate() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("the first is read") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.close("a")
        rig.source.add(
            FakeShard("b", parent: "a", isClosed: true), FakeShard("c", parent: "b", 6...9, isClosed: true),
            FakeShard("d", parent: "c", 10...11))
        rig.source.change("c") { $0.trimmed = 1 }
        let now: @Sendable () -> Timestamp = { .now() + .seconds(25 * 3600) }
        rig.source.change("c") { shard in
            shard.records = shard.records.map { FakeShard.Record(number: $0.number, key: $0.key, time: now()) }
        }
        try await rig.run(following(.skip), now: now) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "d") == 11 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9, 10, 11])
        #expect(try loss(of: "c")?.lost.cause == .stoodStill, "its parent was empty and tells nothing")
        #expect(try loss(of: "d") == nil, "what came before it was in the stream")
    }

    @Test("What stops a table stops it again at each start, also where only the journal knows of it")
    func stopsAgain() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.source.add(FakeShard("c", parent: "b", 7...9))
        for _ in 1...2 {
            let outcome = try await rig.run(following(.stop), ahead: .seconds(25 * 3600)) { daemon in
                try await eventually("the daemon ends") { daemon.hasEnded }
            }
            guard case .failure(.rangeLost) = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
        #expect(try kinds("range_lost").count == 1)
        #expect(rig.target.numbers == [1, 2, 3, 4])
    }

    // MARK: - Another stream

    /// A shard of the other stream.
    private func addNew(_ numbers: ClosedRange<Int>) {
        var shard = FakeShard("n", numbers)
        shard.stream = Self.another
        rig.source.add(shard)
    }

    private static let new = ShardKey(table: Sample.table, stream: another, shard: ShardID("n"))

    @Test(
        "A stream that is replaced beside the running daemon is read to its end, and then the new one is followed",
        arguments: [true, false])
    func replacedBeside(isReadable: Bool) async throws {
        rig.source.add(FakeShard("a", 1...4))
        var configuration = following(.skip)
        configuration.discoveryInterval = .seconds(10)
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            let gate = rig.source.hold(.records, of: "a")
            rig.source.put(5...6, in: "a")
            rig.source.close("a")
            addNew(7...9)
            rig.source.change(Sample.table) { table in
                if isReadable { table.olderStreams = [table.stream] }
                table.stream = Self.another
            }
            if !isReadable { rig.source.remove("a") }
            gate.open()
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(rig.target.numbers == (isReadable ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 3, 4, 7, 8, 9]))
        #expect(try rig.journal { try $0.table(Sample.table)?.loss?.lost.cause } == .streamReplaced)
        #expect(try rig.journal { try $0.status(of: "a") } == (isReadable ? .done : .lost))
    }

    @Test("What is left of an older stream is read at the next start too, and a table without a stream waits for one")
    func finishedAtStart() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.put(5...6, in: "a")
        rig.source.close("a")
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        let outcome = try await rig.run(following(.skip)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6])
        guard case .failure(.misconfigured(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("it has no stream"))
    }

    private static let another = StreamARN(
        "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-24T00:00:00.000")

    @Test(
        "A table that has another stream than the journal knows stops, and goes on with the new one where that is skipped"
    )
    func anotherStream() async throws {
        try await loseFive()
        rig.source.remove("a")
        rig.source.change(Sample.table) { $0.stream = Self.another }
        addNew(1...3)
        let outcome = try await rig.run(following(.stop)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.rangeLost(_, nil, let lost)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(lost.cause == .streamReplaced)
        try await rig.run(following(.skip)) { daemon in
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(3)
            }
        }
        #expect(rig.target.numbers(of: "n") == [1, 2, 3])
        #expect(try rig.journal { try $0.table(Sample.table)?.stream } == Self.another)
        #expect(try rig.journal { try $0.table(Sample.table)?.loss?.lost.policy } == .skip)
    }
}
