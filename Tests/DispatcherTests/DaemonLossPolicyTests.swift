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

    @Test("Where it stops, it stops with what it has, and says what is lost from where to where")
    func stops() async throws {
        try await rig.loseFive()
        let outcome = try await rig.run(Rig.following(onLoss: .stop)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome, case .rangeLost = error else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 69)
        #expect(error.description.contains("after 4 and before 7"))
        #expect(rig.target.numbers == [1, 2, 3, 4])
        let loss = try #require(try rig.loss())
        #expect((loss.lost.from, loss.lost.to, loss.lost.cause) == (Sample.number(4), Sample.number(7), .trimmed))
    }

    @Test("A start that meets the same loss again does not say it again")
    func saysItOnce() async throws {
        try await rig.loseFive()
        for _ in 1...3 {
            try await rig.run(Rig.following(onLoss: .stop)) { daemon in
                try await eventually("the daemon ends") { daemon.hasEnded }
            }
        }
        #expect(try rig.events("range_lost").count == 1)
    }

    @Test("Where it skips, it goes on with the oldest record left, and the loss waits to be acknowledged")
    func skips() async throws {
        try await rig.loseFive()
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9])
        #expect(try rig.loss()?.isAcknowledged == false)
        #expect(try rig.events("range_lost").count == 1)
    }

    @Test("A source that calls everything trimmed is asked after growing waits, and the loss is said once")
    func everythingTrimmed() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.put(5...9, in: "a")
        rig.source.fail(.iterator, of: "a", with: .named("TrimmedDataAccessException"))
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("it was tried often") { rig.source.calls(.iterator, of: "a").count >= 12 }
            rig.source.heal()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == Array(1...9))
        #expect(try rig.events("range_lost").count == 1)
    }

    @Test("Where a shard is gone and skipped, it is lost and not done, and its children are read")
    func skipsGone() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.remove("a")
        rig.source.add(FakeShard("b", parent: "a", 8...9))
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the child is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(try rig.journal { try $0.status(of: "a") } == .lost)
        #expect(try rig.loss()?.lost.cause == .shardGone)
    }

    @Test("Where it resyncs, the table is scanned again without an operator, and followed")
    func resyncs() async throws {
        rig.source.change(Sample.table) { $0.items = ["{\"id\":{\"S\":\"x\"}}"] }
        rig.source.add(FakeShard("a"))
        try await rig.run(Rig.following(onLoss: .resync, mode: .all)) { daemon in
            try await eventually("it is scanned") { try daemon.journal.table(Sample.table)?.phase == .incrSync }
            rig.source.put(1...4, in: "a")
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.change("a") {
            $0.put(5...9)
            $0.trimmed = 6
        }
        try await rig.run(Rig.following(onLoss: .resync, mode: .all)) { daemon in
            try await eventually("it is scanned again") { rig.target.items().count == 2 }
            rig.source.put(10...11, in: "a")
            try await eventually("it is followed from there") { try daemon.journal.number(of: "a") == 11 }
            #expect(!daemon.hasEnded)
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 10, 11])
        #expect(try rig.loss()?.lost.policy == .resync)
    }

    @Test(
        "An operator's word takes a stopped table on, beside the running daemon", arguments: [LossPolicy.skip, .resync])
    func operatorActs(remedy: LossPolicy) async throws {
        let other = TableName("users")
        rig.source.add(FakeTable(other))
        rig.source.add(FakeShard("z", of: other))
        try await rig.loseFive()
        var configuration = Rig.following(onLoss: .stop, mode: remedy == .resync ? .all : .incr)
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
                    try daemon.journal.table(Sample.table)?.isScanned == true
                }
                rig.source.put(10...11, in: "a")
            }
            try await eventually("it goes on") {
                try daemon.journal.number(of: "a") == (remedy == .skip ? 9 : 11)
            }
        }
        #expect(rig.target.numbers(of: "a") == (remedy == .skip ? [1, 2, 3, 4, 7, 8, 9] : [1, 2, 3, 4, 10, 11]))
        #expect(try rig.loss() == nil, "what an operator has answered needs no second word")
    }

    @Test(
        "What follows a loss is journaled with it: no crash in between can ask an operator for a second word",
        arguments: [(LossPolicy.skip, Lost.stream), (.resync, .stream), (.resync, .records), (.resync, .shardUnseen)])
    func oneAppend(policy: LossPolicy, what: Lost) async throws {
        try await rig.loseFive()
        switch what {
        case .records: break
        case .shardUnseen:
            rig.source.remove("a")
            rig.source.add(FakeShard("c", parent: "b", 10...12))
        case .stream:
            rig.source.remove("a")
            rig.source.change(Sample.table) { $0.stream = Self.another }
            addNew(1...3)
        }
        let ahead: Duration = what == .shardUnseen ? .seconds(25 * 3600) : .zero
        let configuration = Rig.following(onLoss: policy, mode: policy == .resync ? .all : .incr)
        try await rig.run(configuration, ahead: ahead) { daemon in
            try await eventually("it goes on") {
                policy == .resync
                    ? try daemon.journal.table(Sample.table)?.isScanned == true
                    : try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(3)
            }
        }
        let events = try rig.journal { try $0.everything() }
        let lost = try #require(events.firstIndex { $0.payload.kind == "range_lost" })
        let (loss, next) = (events[lost], events[lost + 1])
        #expect(next.payload.kind == "phase_changed")
        #expect(next.time == loss.time, "the events of one append have one time")
    }

    @Test("A daemon that is told to stop while a table has stopped for a loss says so by its exit")
    func exitSaysSo() async throws {
        let other = TableName("users")
        rig.source.add(FakeTable(other))
        rig.source.add(FakeShard("z", of: other))
        try await rig.loseFive()
        var configuration = Rig.following(onLoss: .stop)
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

    // MARK: - Another stream

    enum Lost: Sendable { case records, shardUnseen, stream }

    /// A shard of the other stream.
    private func addNew(_ numbers: ClosedRange<Int>) {
        rig.source.add(FakeShard("n", numbers).moved(to: Self.another))
    }

    private static let new = ShardKey(table: Sample.table, stream: another, shard: ShardID("n"))

    @Test(
        "A stream that is replaced beside the running daemon is read to its end, and then the new one is followed",
        arguments: [true, false])
    func replacedBeside(isReadable: Bool) async throws {
        rig.source.add(FakeShard("a", 1...4))
        var configuration = Rig.following(onLoss: .skip)
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
        let outcome = try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6])
        guard case .failure(.misconfigured(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("it has no stream"))
    }

    @Test("An older stream whose day is over between two looks is over, and no mistake of the table's")
    func overBetweenLooks() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.change(Sample.table) { ($0.stream, $0.olderStreams) = (Self.another, [$0.stream]) }
        addNew(7...9)
        let gate = rig.source.hold(.describeStream)
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the older one is looked at") { gate.arrivals == 1 }
            let again = rig.source.hold(.describeStream)
            gate.open()
            try await eventually("and is about to be listed") { again.arrivals == 1 }
            rig.source.change(Sample.table) { $0.olderStreams = [] }
            rig.source.fail(.describeStream, with: .named("ResourceNotFoundException"), times: 1)
            again.open()
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
            #expect(!daemon.hasEnded)
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9])
    }

    @Test("A stream is not given up while a child of its last shard may only be listed late")
    func lateAtTheEnd() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        var late = FakeShard("b", parent: "a", 5...6, isClosed: true)
        late.isListed = false
        rig.source.add(late)
        rig.source.change(Sample.table) { ($0.stream, $0.olderStreams) = (Self.another, [$0.stream]) }
        addNew(7...9)
        var configuration = Rig.following(onLoss: .skip)
        (configuration.discoveryInterval, configuration.listingDelay) = (.milliseconds(20), .seconds(120))
        let passed = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + passed.withLock { $0 } }
        try await rig.run(configuration, now: now) { daemon in
            try await eventually("the table was looked at again and again") {
                rig.source.calls(.describeTable).count >= 5
            }
            rig.source.change("b") { $0.isListed = true }
            try await eventually("the late one is done") { try daemon.journal.status(of: "b") == .done }
            passed.withLock { $0 = .seconds(121) }
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(rig.target.numbers == Array(1...9))
    }

    @Test("A crash before anything of a new stream was seen makes nobody forget what it had meanwhile")
    func crashBeforeFirstListing() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.source.change(Sample.table) { $0.stream = Self.another }
        rig.source.remove("a")
        rig.source.fail(.describeStream, of: Sample.table.text, with: .named("InternalServerError", status: 500))
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the new stream is entered") {
                try daemon.journal.table(Sample.table)?.stream == Self.another
            }
        }
        rig.source.heal()
        rig.source.add(FakeShard("n", parent: "gone", 7...9).moved(to: Self.another))
        var configuration = Rig.following(onLoss: .skip)
        configuration.startAt = .latest
        try await rig.run(configuration, ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is there is journaled") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        let loss = try #require(try rig.journal { try $0.checkpoint(of: Self.new)?.loss })
        #expect(loss.lost.cause == .stoodStill)
    }

    @Test("Of a stream that may have been over before anybody saw it, nothing says when the next one's gap began")
    func sinceWhen() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        var configuration = Rig.following(onLoss: .skip)
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is older") { try daemon.journal.status(of: "a") == .notNeeded }
        }
        try await expectNoTime(configuration)
    }

    @Test("So it is where its newest shard was pinned to its end and had none")
    func sinceWhenPinned() async throws {
        rig.source.add(FakeShard("a", 1...4))
        var configuration = Rig.following(onLoss: .skip)
        configuration.startAt = .latest
        let gate = rig.source.hold(.records, of: "a")
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is pinned") { gate.arrivals == 1 }
            rig.source.close("a")
            gate.open()
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
        }
        try await expectNoTime(configuration)
    }

    @Test("Of a stream that is gone, what may have followed a shard unseen is missing since that shard's last record")
    func sinceUnseenChildren() async throws {
        let early = Timestamp(seconds: (Timestamp.now().seconds - 3000).rounded())
        var (a, b) = (FakeShard("a"), FakeShard("b"))
        a.put(1...4, at: early)
        a.isClosed = true
        b.put(5...6)
        rig.source.add(a, b)
        let configuration = Rig.following(onLoss: .skip)
        try await rig.run(configuration) { daemon in
            try await eventually("both are read") {
                try daemon.journal.status(of: "a") == .done && daemon.journal.number(of: "b") == 6
            }
        }
        for shard in ["a", "b"] { rig.source.remove(shard) }
        rig.source.change(Sample.table) { $0.stream = Self.another }
        addNew(7...9)
        try await rig.run(configuration) { daemon in
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(try rig.journal { try $0.table(Sample.table)?.loss }?.lost.since == early)
    }

    private func expectNoTime(_ configuration: DaemonConfiguration) async throws {
        rig.source.change(Sample.table) { ($0.stream, $0.olderStreams) = (Self.another, [$0.stream]) }
        addNew(1...3)
        try await rig.run(configuration) { daemon in
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(3)
            }
        }
        let loss = try #require(try rig.journal { try $0.table(Sample.table)?.loss })
        #expect(loss.lost.since == nil)
    }

    private static let another = StreamARN(
        "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-24T00:00:00.000")

    @Test(
        "A table that has another stream than the journal knows stops, and goes on with the new one where that is skipped"
    )
    func anotherStream() async throws {
        try await rig.loseFive()
        rig.source.remove("a")
        rig.source.change(Sample.table) { $0.stream = Self.another }
        addNew(1...3)
        let outcome = try await rig.run(Rig.following(onLoss: .stop)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.rangeLost(_, nil, let lost)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(lost.cause == .streamReplaced)
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(3)
            }
        }
        #expect(rig.target.numbers(of: "n") == [1, 2, 3])
        #expect(try rig.journal { try $0.table(Sample.table)?.stream } == Self.another)
        #expect(try rig.journal { try $0.table(Sample.table)?.loss?.lost.policy } == .skip)
    }
}
