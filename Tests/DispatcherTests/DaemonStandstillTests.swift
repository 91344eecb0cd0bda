import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Synchronization
import Testing

/// What the stream lets go of while nobody reads it.
@Suite("A table that stood still", .timeLimit(.minutes(2)))
struct DaemonStandstillTests {
    private let rig = Rig()

    @Test("A parent that was gone before it was anchored vouches for nothing that its child brought since it is known")
    func parentNeverAnchored() async throws {
        rig.source.add(FakeShard("a"), FakeShard("b", parent: "a", 5...9))
        var configuration = Rig.following(onLoss: .skip)
        configuration.startAt = .latest
        let gate = rig.source.hold(.iterator, of: "a")
        try await rig.run(configuration) { _ in
            try await eventually("the parent is about to be anchored") { gate.arrivals > 0 }
            rig.source.fail(.iterator, of: "a", with: .named("InternalServerError", status: 500), times: 1)
        }
        rig.source.heal()
        rig.source.remove("a")
        rig.source.change("b") { $0.trimmed = 3 }
        try await rig.run(configuration, ahead: .seconds(30 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(try rig.loss(of: "b")?.lost.cause == .stoodStill)
    }

    @Test("Nor does one that had been closed when it was anchored, since it was seen to be open")
    func parentAnchoredClosed() async throws {
        let hours = Hours()
        rig.source.add(FakeShard("a", 1...2))
        var configuration = Rig.following(onLoss: .skip)
        configuration.startAt = .latest
        rig.source.fail(.iterator, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("it is seen, and not anchored") { try daemon.journal.status(of: "a") == .notProcessed }
        }
        rig.source.close("a")
        rig.source.add(FakeShard("b", parent: "a", 3...9))
        rig.source.heal()
        rig.source.fail(.iterator, of: "b", with: .named("InternalServerError", status: 500))
        hours.set(14)
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("it is anchored, and done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.source.heal()
        rig.source.change("b") { $0.trimmed = 4 }
        hours.set(35)
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(try rig.loss(of: "b")?.lost.cause == .stoodStill)
    }

    @Test("An operator's rewind at the very moment of a loss does not hide it")
    func rewoundAfterAnchor() async throws {
        var configuration = try await rig.pinBehind(1...4, onLoss: .skip)
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
        #expect(try rig.loss()?.lost.cause == .stoodStill)
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
        try await rig.run(Rig.following(onLoss: .stop), ahead: later + .seconds(3600)) { daemon in
            try await eventually("all is read again") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(try rig.events("range_lost").isEmpty)
    }

    @Test("What leaves the stream between a loss that was skipped and the next start is a loss too")
    func skippedAndStopped() async throws {
        try await rig.loseFive()
        // It never gets to what is left.
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the loss is declared") {
                try daemon.journal.checkpoint(of: Sample.key("a"))?.loss != nil
            }
        }
        rig.source.heal()
        rig.source.change("a") { $0.trimmed = 8 }
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(10 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 9])
        #expect(try rig.events("range_lost").count == 2)
        let loss = try #require(try rig.loss())
        #expect((loss.lost.from, loss.lost.to) == (Sample.number(4), Sample.number(9)))
    }

    @Test("So is what comes after a skipped loss, where the shard was in step since and then stood still")
    func skippedInStepAndStopped() async throws {
        try await rig.loseFive()
        let hours = Hours(25)
        rig.source.change("a") { $0.trimmed = $0.records.count }
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("what is left is read, which is nothing") {
                try daemon.journal.checkpoint(of: Sample.key("a"))?.loss != nil
                    && rig.source.calls(.records, of: "a").count > 3
            }
        }
        try await rig.asOperator { journal in
            let checkpoint = try #require(try journal.checkpoint(of: Sample.key("a")))
            _ = try await journal.append([
                Draft(
                    shard: checkpoint.shard, expecting: checkpoint.revision,
                    [.inStep(InStep(until: hours.now() + .seconds(60)))])
            ])
        }
        hours.set(50)
        rig.source.put(20...23, in: "a")
        rig.source.change("a") { $0.trimmed += 2 }
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("what is left now is read") { try daemon.journal.number(of: "a") == 23 }
        }
        #expect(try rig.events("range_lost").count == 2)
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
        let outcome = try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(throws: Never.self) { try outcome.get() }
        let loss = try #require(try rig.loss(of: "b"))
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
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "c") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 6, 8, 9])
        #expect(try rig.loss(of: "b")?.lost.cause == .stoodStill)
        #expect(try rig.loss(of: "c")?.lost.cause == .stoodStill)
    }

    @Test("So may the child of a shard that was gone before anything of it was read, however late the two were seen")
    func stoodStillBelowGone() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...9))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the parent is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.heal()
        rig.source.remove("a")
        rig.source.change("b") { $0.trimmed = 2 }
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(16 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(try rig.loss(of: "a")?.lost.cause == .shardGone)
        let loss = try #require(try rig.loss(of: "b"))
        #expect((loss.lost.cause, loss.lost.from, loss.lost.to) == (.stoodStill, nil, Sample.number(7)))
        #expect(rig.target.numbers == [7, 8, 9])
    }

    @Test("What follows a shard that was seen open came after that, whatever was lost above it")
    func seenOpen() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a"))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the parent is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.heal()
        rig.source.remove("a")
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(16 * 3600)) { daemon in
            try await eventually("what is open is followed") { try daemon.journal.status(of: "b") == .inProcessing }
            rig.source.add(FakeShard("c", parent: "b", 5...6))
            rig.source.close("b")
            try await eventually("what follows it is read") { try daemon.journal.number(of: "c") == 6 }
        }
        #expect(try rig.loss(of: "b")?.lost.cause == .stoodStill)
        #expect(try rig.loss(of: "c") == nil)
    }

    @Test(
        "What stood still stops its table once, with all that follows it, and one answer lets all of it go on",
        arguments: [LossPolicy.skip, .resync])
    func oneAnswer(remedy: LossPolicy) async throws {
        rig.source.add(
            FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...9, isClosed: true),
            FakeShard("c", parent: "b", 10...12), FakeShard("x", 13...15))
        for shard in ["a", "x"] {
            rig.source.fail(.records, of: shard, with: .named("InternalServerError", status: 500))
        }
        try await rig.run { daemon in
            try await eventually("what comes first is taken up") {
                try ["a", "x"].allSatisfy { try daemon.journal.status(of: $0) == .inProcessing }
            }
        }
        rig.source.heal()
        rig.source.remove("a")
        for (shard, trimmed) in [("b", 2), ("c", 1)] { rig.source.change(shard) { $0.trimmed = trimmed } }
        try await rig.run(Rig.following(onLoss: .stop), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        for shard in ["a", "b", "c", "x"] { #expect(try rig.loss(of: shard)?.stops == true) }
        #expect(rig.target.numbers.isEmpty)
        try await rig.asOperator { journal in
            for shard in ["a", "b", "c", "x"] {
                let checkpoint = try #require(try journal.checkpoint(of: Sample.key(shard)))
                let word = LossAcknowledged(author: "operator", reason: "", remedy: remedy)
                _ = try await journal.append([
                    Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.lossAcknowledged(word)])
                ])
            }
        }
        let mode: DaemonConfiguration.Mode = remedy == .resync ? .all : .incr
        try await rig.run(Rig.following(onLoss: .stop, mode: mode), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("all of it goes on") {
                guard remedy == .resync else {
                    return try daemon.journal.number(of: "c") == 12 && daemon.journal.number(of: "x") == 15
                }
                return try ["c", "x"].allSatisfy { try daemon.journal.status(of: $0) == .inProcessing }
                    && daemon.journal.table(Sample.table)?.isScanned == true
            }
        }
        guard remedy == .skip else {
            #expect(try rig.events("scan_finished").count == 1, "one scan is the answer for all")
            return
        }
        // It stood still, and was gone as well.
        #expect(try rig.journal { try $0.checkpoint(of: Sample.key("a"))?.status } == .lost)
        #expect(rig.target.numbers.filter { $0 < 13 } == [7, 8, 9, 11, 12])
    }

    @Test("A loss whose append is overtaken through another shard is declared all the same")
    func overtakenThroughAnother() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...8))
        rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the parent is taken up") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        rig.source.heal()
        rig.source.change("a") { $0.trimmed = 2 }
        let gate = rig.source.hold(.iterator, of: "a")
        try await rig.run(Rig.following(onLoss: .stop), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left of the parent is asked for") { gate.arrivals == 1 }
            let child = try #require(try daemon.journal.checkpoint(of: Sample.key("b")))
            _ = try await daemon.journal.append([
                Draft(
                    shard: child.shard, expecting: child.revision,
                    [.faulted(Faulted(code: "Any", message: "its child moves meanwhile", isRetried: true))])
            ])
            gate.open()
            try await eventually("the daemon ends, or goes on") {
                try daemon.hasEnded || daemon.journal.number(of: "b") == 8
            }
        }
        for shard in ["a", "b"] { #expect(try rig.loss(of: shard)?.stops == true) }
        #expect(rig.target.numbers.isEmpty)
    }

    @Test("A shard that was anchored at its newest record and never brought one may have lost records without a word")
    func stoodStillAtAnchor() async throws {
        let configuration = try await rig.pinBehind(1...4, onLoss: .stop)
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
        #expect(try rig.loss() == nil)
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
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(hours * 3600)) { daemon in
            try await eventually("what is there is journaled") { try daemon.journal.number(of: "c") == 9 }
        }
        #expect(try rig.loss(of: "c")?.lost.cause == (longAgo ? .stoodStill : nil))
    }

    @Test(
        "So it is where the stream couldn't be listed for days, though another shard of it was read, and the daemon began anew"
    )
    func cameAndWentUnlisted() async throws {
        let hours = Hours()
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("x", 20...21))
        try await rig.run(now: hours.now) { daemon in
            try await eventually("one is done, and one is read") {
                try daemon.journal.status(of: "a") == .done && daemon.journal.number(of: "x") == 21
            }
        }
        hours.set(30)
        rig.source.change("x") { $0.put(22...23, at: hours.now()) }
        // Its parent came and went.
        rig.source.remove("a")
        rig.source.add(FakeShard("c", parent: "b", 10...11))
        rig.source.fail(.describeStream, with: .named("InternalServerError", status: 500))
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("what is known is read") { try daemon.journal.number(of: "x") == 23 }
        }
        rig.source.heal()
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("the new one is read") { try daemon.journal.number(of: "c") == 11 }
        }
        #expect(try rig.loss(of: "c")?.lost.cause == .stoodStill)
    }

    @Test("So it is where another loss stops the table first")
    func cameAndWentBesideALoss() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.source.add(
            FakeShard("b", parent: "a", 5...6), FakeShard("c", parent: "gone", 7...9),
            FakeShard("d", parent: "gone too", 10...12))
        try await rig.run(Rig.following(onLoss: .stop), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the table stops") { daemon.hasEnded }
        }
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is there is journaled") {
                try daemon.journal.number(of: "b") == 6 && daemon.journal.number(of: "c") == 9
                    && daemon.journal.number(of: "d") == 12
            }
        }
        for shard in ["b", "c", "d"] { #expect(try rig.loss(of: shard)?.lost.cause == .stoodStill) }
    }

    @Test("A line of shards that roll over without a record loses nothing, however long it is followed")
    func idleForDays() async throws {
        let hours = Mutex(Duration.zero)
        let now: @Sendable () -> Timestamp = { .now() + hours.withLock { $0 } }
        rig.source.add(FakeShard("s0"))
        var configuration = Rig.following(onLoss: .stop)
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
        #expect(try rig.events("range_lost").isEmpty)
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
        try await rig.run(Rig.following(onLoss: .skip), now: now) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "d") == 11 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8, 9, 10, 11])
        #expect(try rig.loss(of: "c")?.lost.cause == .stoodStill, "its parent was empty and tells nothing")
        #expect(try rig.loss(of: "d") == nil, "what came before it was in the stream")
    }

    @Test("What stops a table stops it again at each start, also where only the journal knows of it")
    func stopsAgain() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the first is done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.source.add(FakeShard("c", parent: "b", 7...9))
        for _ in 1...2 {
            let outcome = try await rig.run(Rig.following(onLoss: .stop), ahead: .seconds(25 * 3600)) { daemon in
                try await eventually("the daemon ends") { daemon.hasEnded }
            }
            guard case .failure(.rangeLost) = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
        #expect(try rig.events("range_lost").count == 1)
        #expect(rig.target.numbers == [1, 2, 3, 4])
    }
}
