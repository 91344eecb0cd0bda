import Dispatcher
import DynamoDB
import Foundation
import Journal
import StreamModel
import Targets
import TestSupport
import Testing

/// DESIGN 7, invariant 6: what fails takes nothing else down.
@Suite("What fails around a daemon", .timeLimit(.minutes(2)))
struct DaemonFailureTests {
    private let rig = Rig()
    private static let other = TableName("customers")

    private static let passing: [DynamoDBError] = [
        .named("ThrottlingException"), .named("ProvisionedThroughputExceededException"),
        .named("LimitExceededException"),
        .named("InternalServerError", status: 500), .named("503", status: 503),
        .unreachable(endpoint: "fake", operation: "GetRecords", reason: "connection refused"),
        .badReply(operation: "GetRecords", object: "a shard", why: "malformed JSON"),
    ]

    private static let lasting: [DynamoDBError] = [
        .named("AccessDeniedException"), .named("ValidationException"), .named("UnrecognizedClientException"),
        .credentials("no credentials"), .configuration("no region"),
    ]

    private static var twoTables: DaemonConfiguration {
        var configuration = Rig.following
        configuration.tables = [Sample.table, other]
        return configuration
    }

    private func addTwoTables() {
        rig.source.add(FakeTable(Self.other))
        rig.source.add(FakeShard("a", 1...5), FakeShard("z", of: Self.other, 101...105))
    }

    // MARK: - The source

    @Test(
        "A shard whose reading fails is read again, from the journal on, while others go on", arguments: passing,
        [
            FakeStream.Operation.records, .iterator,
        ])
    func shardFails(error: DynamoDBError, operation: FakeStream.Operation) async throws {
        rig.source.add(FakeShard("a", 1...6, pageSize: 2), FakeShard("b", 7...10))
        rig.source.fail(operation, of: "a", with: error, times: 3)
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 6 && daemon.journal.number(of: "b") == 10
            }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...6))
        #expect(rig.target.numbers(of: "b") == Array(7...10))
        let faults = try rig.journal { try $0.events(of: "a").compactMap(\.fault) }
        #expect(faults.map(\.isRetried) == [true], "the first of a row is journaled, not each")
    }

    @Test("A table that has no place in the target holds up no other, and says so")
    func unfit() async throws {
        addTwoTables()
        rig.target.refuse(Self.other, because: "a view has its name")
        try await rig.run(Self.twoTables) { daemon in
            try await eventually("the other table is followed") { try daemon.journal.number(of: "a") == 5 }
            try await eventually("it is said") { try daemon.journal.table(Self.other)?.lastFault != nil }
        }
        let fault = try rig.journal { try $0.table(Self.other)?.lastFault }
        #expect(fault?.code == "Misconfigured" && fault?.isRetried == false)
        #expect(fault?.message.contains("a view has its name") == true)
    }

    @Test(
        "A table that waits for a stream keeps nobody else from coming to rest, and is not forgotten over that",
        arguments: [false, true])
    func waitsForStream(hadOne: Bool) async throws {
        addTwoTables()
        if hadOne {
            try await rig.run(Self.twoTables) { daemon in
                try await eventually("both are followed") { rig.target.numbers(of: "z") == Array(101...105) }
            }
            rig.source.close("z")
        }
        rig.source.change(Self.other) { $0.streamEnabled = false }
        var configuration = Self.twoTables
        // Longer than the longest wait between two looks at the table.
        configuration.untilIdle = .milliseconds(400)
        let outcome = try await rig.runToRest(configuration)
        guard case .failure(.misconfigured(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("it has no stream"))
        #expect(rig.target.numbers(of: "a") == [1, 2, 3, 4, 5])
    }

    @Test("A table that was deleted while it was followed keeps nobody from coming to rest once its stream is read")
    func deletedTable() async throws {
        addTwoTables()
        let gate = rig.source.hold(.records, of: "z")
        var configuration = Self.twoTables
        configuration.untilIdle = .milliseconds(400)
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("its shard is read") { gate.arrivals > 0 }
            rig.source.fail(.describeTable, of: "\(Self.other)", with: .named("ResourceNotFoundException"))
            rig.source.close("z")
            gate.open()
            try await eventually("the daemon comes to rest") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.numbers(of: "z") == Array(101...105))
    }

    @Test("A shard that never answers holds up no other, and goes on once it answers")
    func shardIsDown() async throws {
        rig.source.add(FakeShard("a", 1...6), FakeShard("b", 7...10))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the other is journaled") { try daemon.journal.number(of: "b") == 10 }
            try await eventually("it was tried again and again") { rig.source.calls(.records, of: "a").count >= 5 }
            rig.source.put(11...12, in: "b")
            try await eventually("the other is followed") { try daemon.journal.number(of: "b") == 12 }
            #expect(try daemon.journal.number(of: "a") == nil)
            rig.source.heal()
            try await eventually("it goes on") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...6))
    }

    @Test("A table that can't be read waits for its operator, and the other is followed", arguments: lasting)
    func tableIsDown(error: DynamoDBError) async throws {
        addTwoTables()
        rig.source.fail(.records, of: "a", with: error)
        try await rig.run(Self.twoTables) { daemon in
            try await eventually("the other is followed") { rig.target.numbers(of: "z") == Array(101...105) }
            try await eventually("it was begun again") { rig.source.calls(.describeTable, of: "orders").count >= 2 }
            rig.source.put(106...107, in: "z")
            try await eventually("the other is followed still") { rig.target.numbers(of: "z") == Array(101...107) }
            let fault = try daemon.journal.table(Sample.table)?.lastFault
            #expect(fault?.isRetried == false)
            rig.source.heal()
            try await eventually("it goes on") { rig.target.numbers(of: "a") == Array(1...5) }
            #expect(!daemon.hasEnded)
        }
    }

    @Test("A table that isn't there keeps no other from being followed, and is named at the end of a run that ends")
    func tableIsMissing() async throws {
        rig.source.add(FakeShard("a", 1...5))
        var configuration = Rig.untilIdle
        configuration.tables = [Sample.table, TableName("no such table")]
        let outcome = try await rig.runToRest(configuration)
        #expect(rig.target.numbers == Array(1...5))
        guard case .failure(.source(let error)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.isNotFound)
    }

    @Test("Where no table can be followed the daemon ends at once, and says why")
    func allMissing() async throws {
        rig.source.fail(.describeTable, with: .named("AccessDeniedException"))
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 77)
        #expect(rig.target.isClosed)
    }

    // MARK: - Trimmed

    enum Gone: CaseIterable { case whileReading, beforeResuming, shardAgedOut }

    @Test(
        "What the stream no longer has stops its table, and leaves the other alone",
        arguments: Gone.allCases)
    func trimmed(how: Gone) async throws {
        addTwoTables()
        try await rig.run(Self.twoTables) { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 5 && rig.target.numbers(of: "z").count == 5
            }
            if how == .whileReading {
                let gate = rig.source.hold(.records, of: "a")
                try await eventually("the next page is asked for") { gate.arrivals == 1 }
                rig.source.put(6...9, in: "a")
                rig.source.change("a") { $0.trimmed = 7 }
                gate.open()
                try await eventually("the table stops") {
                    try daemon.journal.table(Sample.table)?.lastFault?.code == "RangeLost"
                }
            }
        }
        switch how {
        case .whileReading: break
        case .beforeResuming:
            rig.source.put(6...9, in: "a")
            rig.source.change("a") { $0.trimmed = 7 }
        case .shardAgedOut: rig.source.remove("a")
        }
        if how != .whileReading {
            try await rig.run(Self.twoTables) { daemon in
                try await eventually("the table stops") {
                    try daemon.journal.table(Sample.table)?.lastFault?.code == "RangeLost"
                }
                rig.source.put(106...107, in: "z")
                try await eventually("the other is followed still") { rig.target.numbers(of: "z") == Array(101...107) }
                #expect(!daemon.hasEnded)
            }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...5))
        let state = try #require(try rig.journal { try $0.table(Sample.table) })
        #expect(state.lastFault?.message.contains("after 5") == true)
        #expect(try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.loss?.lost.from } == Sample.number(5))
        #expect(try rig.journal { try $0.number(of: "a") } == 5, "the checkpoint stays where it was")
        #expect(try rig.journal { try $0.table(Self.other)?.phase } == .incrSync)
    }

    // MARK: - The target

    private static func unavailable(_ reason: String = "locked") -> TargetError {
        .unavailable(target: "recording:", reason: reason)
    }

    @Test("A target that refuses is tried again after growing waits, and each batch is written once and in order")
    func refusals() async throws {
        rig.source.add(FakeShard("a", 1...12, pageSize: 2))
        rig.target.refuse(Array(repeating: Self.unavailable(), count: 6))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 12 }
        }
        #expect(rig.target.numbers == Array(1...12))
        let tries = rig.target.attempts.prefix(7)
        #expect(tries.count == 7)
        #expect(Set(tries).count == 1, "the same batches each time")
        // Half of a wait is certain and half is chance: 200 ms doubling, so the fifth is longer than the first ever is.
        let waits = rig.clock.waits
        #expect(waits.contains { $0 >= .milliseconds(100) && $0 <= .milliseconds(200) })
        #expect(waits.contains { $0 >= .milliseconds(3200) && $0 <= .milliseconds(6400) })
        #expect(try rig.journal { try $0.kinds(of: "a").contains("faulted") } == false, "nothing was given up")
    }

    @Test(
        "While a target hangs nothing is journaled, and the readers of all tables read on"
    )
    func hangs() async throws {
        addTwoTables()
        let gate = rig.target.hold()
        try await rig.run(Self.twoTables) { daemon in
            try await eventually("a batch is at the target") { gate.arrivals == 1 }
            try await eventually("both are read") {
                rig.source.calls(.records, of: "a").count >= 2 && rig.source.calls(.records, of: "z").count >= 2
            }
            #expect(try daemon.journal.everything().compactMap(\.advance).isEmpty)
            gate.open()
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 5 && rig.target.numbers(of: "z").count == 5
            }
        }
    }

    @Test("A record that the target can't hold stops its table, and no batch of another that came with it")
    func unwritable() async throws {
        rig.source.add(FakeTable(Self.other))
        rig.source.add(FakeShard("a", 1...5), FakeShard("b"), FakeShard("z", of: Self.other))
        rig.target.breakDown(Self.other, with: .unwritable(target: "recording:", what: "a record", reason: "too large"))
        let gate = rig.target.hold { $0.numbers.contains(1) }
        try await rig.run(Self.twoTables) { daemon in
            try await eventually("a batch is at the target") { gate.arrivals == 1 }
            // So the batches of the other two wait for each other's company.
            for (shard, numbers) in ["b": 11...15, "z": 101...105] {
                rig.source.put(numbers, in: shard)
                let pages = rig.source.calls(.records, of: shard).count
                try await eventually("\(shard) is read") { rig.source.calls(.records, of: shard).count >= pages + 2 }
            }
            gate.open()
            try await eventually("its table waits") {
                try daemon.journal.table(Self.other)?.lastFault?.code == "TargetUnwritable"
            }
            try await eventually("the other is journaled") {
                try daemon.journal.number(of: "a") == 5 && daemon.journal.number(of: "b") == 15
            }
            rig.source.put(6...9, in: "a")
            try await eventually("the other is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(!daemon.hasEnded)
            #expect(try daemon.journal.table(Sample.table)?.lastFault == nil)
            #expect(try daemon.journal.everything().filter { $0.shard == "b" }.compactMap(\.fault).isEmpty)
        }
        #expect(rig.target.numbers(of: "a") == Array(1...9))
        #expect(rig.target.numbers(of: "b") == Array(11...15))
        #expect(rig.target.numbers(of: "z") == [])
    }

    @Test("A target that is not what it was ends the daemon")
    func misconfigured() async throws {
        rig.source.add(FakeShard("a", 1...5))
        rig.target.refuse([.misconfigured(target: "recording:", reason: "it is another one")])
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error.exitCode == 78)
        #expect(rig.target.isClosed)
        #expect(try rig.journal { try $0.number(of: "a") } == nil)
    }

    // MARK: - Stopping

    @Test("A stop finishes what the target has in its hands and journals it, and leaves the rest to the next run")
    func stop() async throws {
        rig.source.add(FakeShard("a", 1...3000, pageSize: 3))
        let gate = rig.target.hold { $0.numbers.contains(1) }
        let outcome = try await rig.run { daemon in
            try await eventually("the first batch is at the target") { gate.arrivals == 1 }
            try await eventually("more is fetched") { rig.source.calls(.records, of: "a").count >= 3 }
            daemon.askToStop()
            #expect(!daemon.hasEnded, "the batch is not written yet")
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.isClosed)
        let held = rig.target.numbers
        #expect(held.count >= 3)
        #expect(held.count < 3000)
        #expect(held == Array(1...held.count))
        #expect(try rig.journal { try $0.number(of: "a") } == held.count)
        #expect(try rig.journal { try $0.events(of: "a").compactMap(\.fault).isEmpty })
    }

    @Test("A stop doesn't wait for a target that refuses for ever")
    func stopWhileRefused() async throws {
        rig.source.add(FakeShard("a", 1...9))
        rig.target.breakDown(Sample.table, with: Self.unavailable())
        let outcome = try await rig.run { daemon in
            try await eventually("it was tried") { rig.target.attempts.count >= 3 }
            daemon.askToStop()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        #expect(try rig.journal { try $0.number(of: "a") } == nil)
    }

    @Test(
        "A stop doesn't wait for a source that doesn't answer",
        arguments: [
            FakeStream.Operation.describeTable, .describeStream, .iterator, .records, .scan,
        ])
    func stopWhileUnanswered(operation: FakeStream.Operation) async throws {
        rig.source.add(FakeShard("a", 1...9))
        rig.source.change(Sample.table) { $0.items = ["item-1"] }
        var configuration = Rig.following
        configuration.mode = .all
        let gate = rig.source.hold(operation)
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("it is asked") { gate.arrivals > 0 }
            daemon.askToStop()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
        #expect(rig.target.isClosed)
    }

    @Test("What the journal refuses of one shard is no matter of the shards that were written with it")
    func refusedBeside() async throws {
        // The service brings the same numbers again: the journal takes no step back.
        rig.source.add(FakeShard("a", 1...3, pageSize: 3), FakeShard("b", 11...13, pageSize: 1))
        rig.source.put(1...3, in: "a")
        let gate = rig.target.hold { $0.shard == "b" && $0.numbers.contains(11) }
        try await rig.run { daemon in
            try await eventually("the first batch is at the target") { gate.arrivals == 1 }
            try await eventually("more waits") { rig.source.calls(.records, of: "a").count >= 2 }
            gate.open()
            try await eventually("the sound one is read") { try daemon.journal.number(of: "b") == 13 }
            try await eventually("the other is at fault") {
                try daemon.journal.events(of: "a").contains { $0.fault != nil }
            }
            rig.source.put(14...20, in: "b")
            try await eventually("the sound one is followed") { try daemon.journal.number(of: "b") == 20 }
        }
        #expect(rig.target.numbers(of: "b") == Array(11...20))
        #expect(try rig.journal { try $0.number(of: "a") } == 3)
    }

    @Test("A stop doesn't wait for a source that fails, or for a table that waits for its operator")
    func stopWhileFailing() async throws {
        addTwoTables()
        rig.source.fail(.records, of: "a", with: .named("ThrottlingException"))
        rig.source.fail(.records, of: "z", with: .named("AccessDeniedException"))
        let outcome = try await rig.run(Self.twoTables) { daemon in
            try await eventually("both have failed") {
                rig.source.calls(.records, of: "a").count >= 3
                    && rig.source.calls(.describeTable, of: "customers").count >= 2
            }
            daemon.askToStop()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        #expect(throws: Never.self) { try outcome.get() }
    }

    @Test(
        "Of a write that a target took in part nothing is journaled, and all of it is written again",
        arguments: [false, true])
    func partialWrite(isRestarted: Bool) async throws {
        rig.source.add(FakeShard("a", 1...25))
        rig.target.stop(before: 13)
        func heal(_ daemon: Running) async throws {
            rig.target.mend()
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 25 }
        }
        try await rig.run { daemon in
            try await eventually("it was tried often") { rig.target.parts.count >= 4 }
            #expect(try daemon.journal.number(of: "a") ?? 0 <= 12)
            #expect(try daemon.journal.everything().allSatisfy { $0.advance == nil }, "a batch is whole or not there")
            if !isRestarted { try await heal(daemon) }
        }
        if isRestarted { try await rig.run { try await heal($0) } }
        #expect(Set(rig.target.parts) == [Array(1...12)])
        #expect(rig.target.numbers == Array(1...25), "what it had taken before is among them")
    }

    @Test("A shard that brings the same records over and over is said once, and its table is not well until it gets on")
    func replayed() async throws {
        rig.source.add(FakeShard("a", 1...5), FakeShard("b", 11...13))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 5 }
            try await eventually("all is well") { rig.complaints().isEmpty }
            rig.source.change("a") { $0.ignoresNumbers = true }
            rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500), times: 1)
            try await eventually("it is noticed") {
                rig.complaints().contains { $0.reason.contains("from after 5 on") }
            }
            let readings = rig.source.calls(.iterator, of: "a").count
            try await eventually("it is read on and on") {
                rig.source.calls(.iterator, of: "a").count >= readings + 4
            }
            #expect(rig.complaints().first?.health == .degraded)
            #expect(rig.complaints().first?.reason.hasPrefix("shard a was read ") == true)
            rig.source.change("a") { $0.ignoresNumbers = false }
            rig.source.put(6...9, in: "a")
            try await eventually("it gets on") { try daemon.journal.number(of: "a") == 9 }
            try await eventually("all is well again") { rig.complaints().isEmpty }
        }
        #expect(rig.log.messages.filter { $0.contains("over and over") }.count == 1)
        let again = rig.target.applied.filter { $0.numbers == Array(1...5) }
        #expect(again.count > Replays.limit + 1, "the target was given them again and again")
    }

    @Test("A target that has broken is never asked again: what it took can't be taken back", arguments: [false, true])
    func broken(isMisconfigured: Bool) async throws {
        for shard in ["a", "b", "c", "d", "e", "f"] { rig.source.add(FakeShard(shard, 1...400, pageSize: 1)) }
        rig.target.breakAtGroups(
            with: isMisconfigured
                ? .misconfigured(target: "recording:", reason: "it is another one")
                : .broken(target: "recording:", reason: "half of it is out"))
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends by itself") { daemon.hasEnded }
        }
        let attempts = rig.target.attempts
        #expect(attempts.firstIndex { $0.count > 1 } == attempts.indices.last, "nothing was written behind it")
        guard case .failure(.target(let error)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!error.isRetryable)
    }

    @Test("A target that gives not one token for each batch ends the process")
    func tokensMissing() async {
        await #expect(processExitsWith: .failure) {
            let rig = Rig()
            rig.target.forgetTokens()
            rig.source.add(FakeShard("a", 1...2))
            // Where nothing stops the process it ends well, and so the test fails.
            _ = try? await rig.run { _ in
                try await eventually("it was written to") { !rig.target.applied.isEmpty }
                try await eventually("another is read") { rig.source.calls(.records, of: "a").count >= 5 }
                exit(EXIT_SUCCESS)
            }
        }
    }

    @Test("What was fetched ahead of a shard whose reading fails is let go of")
    func aheadOfFailure() async throws {
        rig.source.add(FakeShard("a", 1...9, pageSize: 1, weight: 600 << 10))
        let first = rig.source.hold(.records, of: "a")
        let rest = rig.source.hold(.restOfRecords, of: "a")
        try await rig.run { _ in
            try await eventually("the first page is asked for") { first.arrivals == 1 }
            let second = rig.source.hold(.records, of: "a")
            rig.source.fail(.restOfRecords, of: "a", with: .named("InternalServerError", status: 500), times: 1)
            first.open()
            try await eventually("the second is asked for ahead of it") { second.arrivals == 1 }
            rest.open()
            try await eventually("nobody waits for the second any more") { second.departures >= 1 }
        }
    }

    @Test("A journal that compaction finds damaged ends the daemon, as it does where anything else finds it")
    func compactionMeetsDamage() async throws {
        rig.source.add(FakeShard("a", 1...5, isClosed: true))
        try await rig.run { daemon in
            try await eventually("it is read to its end") { try daemon.journal.status(of: "a") == .done }
        }
        let outcome = try await rig.run(ahead: .seconds(50 * 3600), spoiling: "taken up") { daemon in
            try await eventually("the daemon ends by itself") { daemon.hasEnded }
        }
        guard case .failure(.journal(.damaged)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("A daemon that waits for a table to be made says so, and makes nothing of it where it is told to stop")
    func creating() async throws {
        rig.source.change(Sample.table) { $0.status = "CREATING" }
        try await rig.run { _ in
            try await eventually("it is asked for again") { rig.source.calls(.describeTable).count >= 2 }
            try await eventually("it is said") {
                rig.complaints().contains { $0.health == .degraded && $0.reason.contains("being created") }
            }
        }
        #expect(try rig.journal { try $0.table(Sample.table) }?.phase == nil, "it was never followed")
        rig.source.change(Sample.table) { $0.status = "ACTIVE" }
        rig.source.add(FakeShard("a", 1...5))
        try await rig.run { daemon in
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 5 }
            try await eventually("all is well") { rig.complaints().isEmpty }
        }
    }
}
