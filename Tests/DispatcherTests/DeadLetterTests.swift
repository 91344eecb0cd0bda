import Dispatcher
import Journal
import StreamModel
import Targets
import Testing

/// Records that the target can't hold for what they are.
@Suite("A record that the target can't hold", .timeLimit(.minutes(2)))
struct DeadLetterTests {
    private let rig = Rig()

    private func refusals() throws -> [Position] { try rig.journal { try $0.refusals(of: Sample.table) } }

    @Test("is put aside with its bytes and its cause, and its shard goes on")
    func isPutAside() async throws {
        rig.source.add(FakeShard("a", 1...9))
        rig.target.cannotHold("3", "7")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 4, 5, 6, 8, 9])
        let refused = try rig.journal { journal in
            try journal.events(of: "a").compactMap { event -> RecordRefused? in
                if case .recordRefused(let refused) = event.payload { refused } else { nil }
            }
        }
        #expect(refused.map(\.sequenceNumber) == [Sample.number(3), Sample.number(7)])
        #expect(rig.deadLetters.count == 2)
        #expect(rig.deadLetters[0].contains("\"sequence_number\":\"3\""))
        #expect(rig.deadLetters[0].contains("\"cause\":\"it can't hold it\""))
        #expect(rig.deadLetters[0].contains("\"keys\":{"))
        #expect(refused[1].offset == UInt64(rig.deadLetters[0].utf8.count + 1))
        #expect(refused[1].bytes == UInt64(rig.deadLetters[1].utf8.count + 1))
        let advance = try rig.journal { try $0.events(of: "a").compactMap(\.advance) }.last
        #expect(advance?.records == 7)
        #expect(try refusals().count == 2)
    }

    @Test("is a matter of its table's health, in the log as in `status`")
    func isSaid() async throws {
        rig.source.add(FakeShard("a", 1...2))
        rig.target.cannotHold("1")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 2 }
            try await eventually("it is said") { rig.log.messages.contains("health changed") }
            #expect(rig.complaints().isEmpty, "the daemon's own signs know nothing of it")
        }
    }

    @Test("is tried three times before that")
    func isTriedAgain() async throws {
        rig.source.add(FakeShard("a", 1...2))
        rig.target.cannotHold("1")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 2 }
        }
        #expect(rig.target.attempts.count { $0.contains { $0.numbers.contains(1) } } == 3)
    }

    /// The target's own position passes the record with what follows it, so nobody would read it again.
    @Test("is in the journal before what follows it is in the target, wherever the daemon is killed", arguments: 1...20)
    func killed(step: Int) async throws {
        let rig = Rig(storesPositions: true)
        // Closed, so that nothing but this takes steps.
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        rig.target.cannotHold("3")
        try await rig.crash(Rig.following, at: Fuse(steps: step))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        #expect(Set(rig.target.numbers) == [1, 2, 4])
        let waiting = try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.refusals }
        #expect(waiting?.map(\.sequenceNumber) == [Sample.number(3)])
    }

    @Test("may be all that its batch has")
    func alone() async throws {
        rig.source.add(FakeShard("a", 1...1))
        rig.target.cannotHold("1")
        try await rig.run { daemon in
            try await eventually("it is passed") { try daemon.journal.number(of: "a") == 1 }
        }
        #expect(rig.target.numbers.isEmpty)
        #expect(try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.records } == 0)
    }

    @Test("is delivered again by a rewind to it, and then waits no longer; what is refused again waits again")
    func retry() async throws {
        rig.source.add(FakeShard("a", 1...9))
        rig.target.cannotHold("3", "7")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        let before = try refusals()
        rig.target.cannotHold("7")
        try await rig.asOperator {
            try await $0.rewind(Sample.key("a"), to: .sequenceNumber(Sample.number(3)), inclusive: true)
        }
        #expect(try refusals() == before, "a rewind alone settles nothing: it may be undone")
        try await rig.run { daemon in
            try await eventually("all is journaled again") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers(of: "a").suffix(6) == [3, 4, 5, 6, 8, 9])
        let after = try refusals()
        #expect(after.count == 1 && after[0] > before[1])
        #expect(rig.deadLetters.count == 3)
    }

    @Test("is settled beside a batch that is being written, which comes once all the same")
    func settledBesideBatch() async throws {
        rig.source.add(FakeShard("a", 1...4))
        rig.target.cannotHold("3")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            let gate = rig.target.hold { $0.numbers.contains(5) }
            rig.source.put(5...6, in: "a")
            try await eventually("the batch is being written") { gate.arrivals == 1 }
            try await rig.asOperator { journal in
                let checkpoint = try #require(try journal.checkpoint(of: Sample.key("a")))
                let settled = RefusalSettled(refusal: checkpoint.refusals[0].position, author: "operator", reason: "")
                _ = try await journal.append([
                    Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.refusalSettled(settled)])
                ])
            }
            gate.open()
            try await eventually("it is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [1, 2, 4, 5, 6])
        #expect(try refusals().isEmpty)
    }

    @Test("stops the table when too many wait, and it goes on once they are settled")
    func limit() async throws {
        rig.source.add(FakeShard("a", 1...9))
        rig.target.cannotHold("3", "5", "7")
        var configuration = Rig.following
        configuration.deadLetterLimit = 2
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome, case .tooManyRefused(_, limit: 2, _) = error else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 65)
        #expect(rig.target.numbers == [1, 2, 4, 6], "what comes before the one too many is delivered")
        #expect(try refusals().count == 2, "those that wait can be listed")
        rig.target.cannotHold()
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 4, 6, 7, 8, 9])
    }

    @Test("that is one too many at the head of its batch stops the table where it stands")
    func limitAtHead() async throws {
        rig.source.add(FakeShard("a", 1...3))
        rig.target.cannotHold("1")
        var configuration = Rig.following
        configuration.deadLetterLimit = 0
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.tooManyRefused) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try rig.journal { try $0.number(of: "a") } == nil)
        #expect(rig.deadLetters.isEmpty)
    }

    @Test("keeps no daemon from stopping, and is left to the next one")
    func stopped() async throws {
        rig.source.add(FakeShard("a", 1...2))
        rig.target.cannotHold("1")
        let gate = rig.target.hold()
        let outcome = try await rig.run { daemon in
            try await eventually("it is at the target") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 2 }
        }
        #expect(rig.target.numbers == [2])
    }

    @Test("keeps neither another shard nor another table")
    func others() async throws {
        rig.source.add(FakeShard("a", 1...9), FakeShard("b", 11...19))
        rig.target.cannotHold("3")
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 9 && daemon.journal.number(of: "b") == 19
            }
        }
        #expect(rig.target.numbers(of: "b") == Array(11...19))
    }

    @Test("of a full sync is put aside too, and the scan comes to its end")
    func ofScan() async throws {
        var configuration = Rig.following
        configuration.mode = .full
        rig.source.change(Sample.table) { table in
            table.items = (1...9).map { "{\"id\":{\"S\":\"item-\($0)\"}}" }
        }
        rig.source.add(FakeShard("a"))
        rig.target.cannotHold("item-4")
        let outcome = try await rig.runToRest(configuration)
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.items().count == 8)
        #expect(try rig.journal { try $0.table(Sample.table)?.refusals.count } == 1)
        #expect(rig.deadLetters.count == 1 && rig.deadLetters[0].contains("item-4"))
    }

    @Test("of a shard, done or not, is settled by a full sync, which brings its item as it is now or puts that aside")
    func settledByFullSync() async throws {
        rig.source.change(Sample.table) { $0.items = ["{\"id\":{\"S\":\"x\"}}"] }
        rig.source.add(FakeShard("a"))
        rig.target.cannotHold("3", "6")
        let configuration = Rig.following(onLoss: .resync, mode: .all)
        try await rig.run(configuration) { daemon in
            try await eventually("it is scanned") { try daemon.journal.table(Sample.table)?.phase == .incrSync }
            rig.source.put(1...4, in: "a")
            rig.source.add(FakeShard("b", parent: "a", 5...7))
            rig.source.close("a")
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 7 }
        }
        #expect(try refusals().count == 2)
        rig.source.change("b") {
            $0.put(8...11)
            $0.trimmed = 5
        }
        try await rig.run(configuration) { _ in
            try await eventually("it is scanned again") { try rig.events("scan_finished").count == 2 }
        }
        #expect(try refusals().isEmpty)
        let reasons = try rig.events("refusal_settled").compactMap { event in
            if case .refusalSettled(let settled) = event.payload { settled.reason } else { nil }
        }
        #expect(reasons == Array(repeating: "the full sync brings the item as it is now", count: 2))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("is no dead letter where the target can't say which it is: the table stops")
    func unnamed() async throws {
        rig.source.add(FakeShard("a", 1...5))
        rig.target.breakDown(
            Sample.table, with: .unwritable(target: "recording:", what: "a record", reason: "too large"))
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.target(.unwritable)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(rig.deadLetters.isEmpty)
    }
}
