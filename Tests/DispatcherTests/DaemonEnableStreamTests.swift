import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Testing

@Suite("Streams that are enabled", .timeLimit(.minutes(2)))
struct DaemonEnableStreamTests {
    private let rig = Rig()
    private static let other = TableName("customers")
    private static let next = StreamARN("arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-24T00:00:00.000")
    private static let new = ShardKey(table: Sample.table, stream: next, shard: ShardID("n"))

    private static func enabling(_ configuration: DaemonConfiguration = Rig.following) -> DaemonConfiguration {
        var configuration = configuration
        configuration.enablesStreams = true
        return configuration
    }

    private var timesEnabled: Int? { rig.source.table(Sample.table)?.timesEnabled }

    private func says(_ words: String) -> Bool {
        rig.complaints().contains { $0.health == .degraded && $0.reason.contains(words) }
    }

    @Test("A table without one gets one, once, and is followed when it is there, though its description is late")
    func once() async throws {
        rig.source.change(Sample.table) { ($0.streamEnabled, $0.staleDescriptions) = (false, 3) }
        rig.source.add(FakeShard("a", 1...5))
        try await rig.run(Self.enabling()) { daemon in
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 5 }
            try await eventually("all is well") { rig.complaints().isEmpty }
        }
        #expect(rig.source.calls(.enableStream).count == 1)
        #expect(rig.source.calls(.describeTable).count >= 5)
    }

    @Test(
        "One that is ENABLING is waited for before the table is scanned, whoever has enabled it",
        arguments: [true, false])
    func scannedAfterwards(isOurs: Bool) async throws {
        rig.addScannedTable()
        rig.source.change(Sample.table) { ($0.streamEnabled, $0.enablingListings) = (!isOurs, .max) }
        try await rig.run(isOurs ? Self.enabling(Rig.scanning()) : Rig.scanning()) { daemon in
            try await eventually("it is looked at again and again") { rig.source.calls(.describeStream).count >= 3 }
            try await eventually("it is said") { says("(ENABLING)") }
            #expect(rig.source.calls(.scan).isEmpty, "what is written meanwhile may be in no stream")
            rig.source.change(Sample.table) { $0.enablingListings = 0 }
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            try await eventually("all is well") { rig.complaints().isEmpty }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
        #expect(timesEnabled == (isOurs ? 1 : 0))
    }

    @Test("A daemon that is told to stop while it waits for one stops, and makes nothing of the table")
    func stopped() async throws {
        rig.source.change(Sample.table) { ($0.streamEnabled, $0.enablingListings) = (false, .max) }
        let outcome = try await rig.run(Self.enabling()) { daemon in
            try await eventually("it is waited for") { says("(ENABLING)") }
            daemon.askToStop()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        #expect(try rig.journal { try $0.checkpoints() }.isEmpty)
    }

    @Test("A table that is being changed is waited for, and gets its stream then")
    func updating() async throws {
        rig.source.change(Sample.table) { ($0.streamEnabled, $0.status) = (false, "UPDATING") }
        rig.source.add(FakeShard("a", 1...5))
        try await rig.run(Self.enabling()) { daemon in
            try await eventually("it is asked again") { rig.source.calls(.enableStream).count >= 2 }
            try await eventually("it is said") { says("as soon as the table allows it") }
            rig.source.change(Sample.table) { $0.status = "ACTIVE" }
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 5 }
        }
        #expect(timesEnabled == 1)
    }

    @Test(
        "Somebody else who enables it at the same moment is no error, however the service says that it is enabled",
        arguments: [
            DynamoDBError.named("ResourceInUseException"), .named("LimitExceededException"),
            .service(
                code: "ValidationException", message: "Table already has an enabled stream: TableName: orders",
                status: 400, operation: "UpdateTable", object: "table orders", requestID: nil),
        ])
    func raced(error: DynamoDBError) async throws {
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        rig.source.add(FakeShard("a", 1...5))
        let gate = rig.source.hold(.enableStream)
        rig.source.fail(.enableStream, with: error)
        try await rig.run(Self.enabling()) { daemon in
            try await eventually("it is asked for") { gate.arrivals == 1 }
            rig.source.change(Sample.table) { $0.streamEnabled = true }
            gate.open()
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 5 }
        }
        #expect(try rig.events("faulted").isEmpty)
        #expect(rig.source.calls(.enableStream).count == 1)
    }

    @Test("Who may not enable one loses that table and no other, hears what is missing, and goes on once it may")
    func denied() async throws {
        rig.source.add(FakeTable(Self.other))
        rig.source.change(Self.other) { $0.streamEnabled = false }
        rig.source.add(FakeShard("a", 1...5), FakeShard("z", of: Self.other, 101...105))
        rig.source.fail(.enableStream, of: Self.other.text, with: .named("AccessDeniedException"))
        var configuration = Self.enabling()
        configuration.tables = [Sample.table, Self.other]
        configuration.untilIdle = .milliseconds(400)
        let outcome = try await rig.runToRest(configuration)
        guard case .failure(let error) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 77)
        #expect(error.description.contains("allow them dynamodb:UpdateTable"))
        #expect(rig.target.numbers(of: "a") == [1, 2, 3, 4, 5])
        #expect(rig.source.table(Self.other)?.timesEnabled == 0)

        configuration.untilIdle = nil
        try await rig.run(configuration) { _ in
            try await eventually("it is tried again") { rig.source.calls(.enableStream).count >= 3 }
            rig.source.heal()
            try await eventually("it is followed") { rig.target.numbers(of: "z") == Array(101...105) }
        }
    }

    @Test("Without the option none is enabled, and the table says how it could be")
    func optionOff() async throws {
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        let outcome = try await rig.runToRest()
        guard case .failure(.misconfigured(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("it has no stream") && reason.contains("--enable-streams"))
        #expect(rig.source.calls(.enableStream).isEmpty)
    }

    @Test(
        "One that is enabled and carries no new images is refused, and never changed",
        arguments: ["KEYS_ONLY", "OLD_IMAGE"])
    func viewType(view: String) async throws {
        rig.source.change(Sample.table) { $0.viewType = view }
        let outcome = try await rig.runToRest(Self.enabling(Rig.untilIdle))
        guard case .failure(.misconfigured(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains(view))
        #expect(rig.source.calls(.enableStream).isEmpty)
    }

    @Test("A daemon that only makes the target ready enables none")
    func schemaOnly() async throws {
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        var configuration = Self.enabling()
        configuration.preparesOnly = true
        let outcome = try await rig.runToRest(configuration)
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.source.calls(.enableStream).isEmpty)
    }

    @Test("Killed wherever it is, the next run enables none twice, and loses nothing", arguments: 1...48)
    func killed(step: Int) async throws {
        rig.addScannedTable()
        rig.source.change(Sample.table) {
            ($0.streamEnabled, $0.staleDescriptions, $0.enablingListings) = (false, 1, 2)
        }
        try await rig.crash(Self.enabling(Rig.scanning()), at: Fuse(steps: step))
        // As in `DaemonFullSyncTests.resumes`: what is written after the anchor comes by the stream.
        let wasAnchored = try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.storedIterator != nil }
        if wasAnchored { rig.source.put(7...9, in: "a") }
        try await rig.run(Self.enabling(Rig.scanning())) { daemon in
            try await eventually("the stream is anchored") {
                try daemon.journal.checkpoint(of: Sample.key("a")).map { $0.status != .notProcessed } ?? false
            }
            if !wasAnchored { rig.source.put(7...9, in: "a") }
            try await eventually("the stream is followed, and the scan finished") {
                try daemon.journal.number(of: "a") == 9 && daemon.journal.phase() == .incrSync
            }
        }
        #expect(timesEnabled == 1)
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
        #expect(Set(rig.target.numbers).isSuperset(of: [7, 8, 9]))
        #expect(try rig.events("range_lost").isEmpty)
    }

    @Test(
        "Of a table whose stream was switched off, the next is enabled at once, and then what is left of the older one is read"
    )
    func afterOlder() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.source.put(5...6, in: "a")
        rig.source.close("a")
        rig.source.change(Sample.table) { ($0.streamEnabled, $0.nextStream) = (false, Self.next) }
        rig.source.add(FakeShard("n", 7...9).moved(to: Self.next))
        let before = rig.source.calls.count
        try await rig.run(Self.enabling(Rig.following(onLoss: .skip))) { daemon in
            try await eventually("the new stream is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        let calls = rig.source.calls.dropFirst(before)
        let enabled = try #require(calls.firstIndex { $0.operation == .enableStream })
        let read = try #require(calls.firstIndex { $0.operation == .records && $0.object == "a" })
        #expect(enabled < read, "what is written while none is enabled is in none")
        #expect(timesEnabled == 1)
        // The gap between the two is still a loss, which the policy is about.
        #expect(try rig.journal { try $0.table(Sample.table)?.loss?.lost.cause } == .streamReplaced)
    }

    @Test("A stream that is switched off beside the running daemon has a next one before it is read to its end")
    func besideTheDaemon() async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.source.add(FakeShard("n", 7...9).moved(to: Self.next))
        var configuration = Self.enabling(Rig.following(onLoss: .skip))
        configuration.discoveryInterval = .seconds(10)
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            let gate = rig.source.hold(.records, of: "a")
            rig.source.put(5...6, in: "a")
            rig.source.close("a")
            rig.source.change(Sample.table) { ($0.streamEnabled, $0.nextStream) = (false, Self.next) }
            try await eventually("another is enabled") { timesEnabled == 1 }
            #expect(rig.target.numbers == [1, 2, 3, 4])
            gate.open()
            try await eventually("it is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(timesEnabled == 1)
    }
}
