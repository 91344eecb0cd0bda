import Dispatcher
import Journal
import StreamModel
import TestSupport
import Testing

/// DESIGN 3.3 and 4.6.
@Suite("An operator rewinds beside a running daemon", .timeLimit(.minutes(2)))
struct DaemonRewindTests {
    private let rig = Rig(storesPositions: true)

    private func rewind(_ shard: String, to place: RewindRequest.Place, inclusive: Bool = false) async throws {
        try await rig.asOperator { try await $0.rewind(Sample.key(shard), to: place, inclusive: inclusive) }
    }

    @Test(
        "Exactly the records after the number are written again, in order, in the new epoch", arguments: [false, true])
    func replays(inclusive: Bool) async throws {
        rig.source.add(FakeShard("a", 1...20, pageSize: 6))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 20 }
            try await rewind("a", to: .sequenceNumber(Sample.number(12)), inclusive: inclusive)
            try await eventually("all is journaled again") {
                try daemon.journal.number(of: "a") == 20 && daemon.journal.status(of: "a") == .inProcessing
            }
        }
        let again = rig.target.applied.filter { $0.epoch == 1 }
        #expect(again.flatMap(\.numbers) == Array((inclusive ? 12 : 13)...20))
        #expect(rig.target.applied.filter { $0.epoch == 0 }.flatMap(\.numbers) == Array(1...20))
        #expect(
            rig.source.calls(.iterator, of: "a").last?.type == (inclusive ? .atSequenceNumber : .afterSequenceNumber))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A rewind to the start begins at the trim horizon")
    func toStart() async throws {
        rig.source.add(FakeShard("a", 1...6))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
            try await rewind("a", to: .start)
            try await eventually("all is journaled again") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == Array(1...6) + Array(1...6))
    }

    @Test("A shard that is done is read again from there, and is done again")
    func done() async throws {
        rig.source.add(FakeShard("a", 1...6, isClosed: true))
        try await rig.run { daemon in
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
            try await rewind("a", to: .sequenceNumber(Sample.number(4)))
            try await eventually("the shard is done again") { try daemon.journal.status(of: "a") == .done }
        }
        #expect(rig.target.numbers == Array(1...6) + [5, 6])
    }

    //  a 1…4 ─── b 5…8
    @Test("A child that rests after a failure, and then has to wait for its parent again, is in no trouble any more")
    func whileResting() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...8))
        rig.source.fail(.records, of: "b", with: .named("InternalServerError", status: 500))
        try await rig.run { daemon in
            try await eventually("the child rests") {
                try daemon.journal.kinds(of: "b").contains("faulted") && rig.shardsRead == ["b"]
            }
            rig.source.fail(.records, of: "a", with: .named("InternalServerError", status: 500))
            try await rewind("a", to: .start)
            try await eventually("only the parent is tried") { rig.shardsRead == ["a"] }
            rig.source.heal()
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 8 }
        }
        #expect(rig.target.numbers == Array(1...4) + Array(1...8))
    }

    //  a 1…4 ─── b 5…8
    @Test("A parent that is set back while its child is being taken up comes first again")
    func whileTakingUp() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...8))
        let gate = rig.source.hold(.iterator, of: "b")
        try await rig.run { daemon in
            try await eventually("the child is being taken up") { gate.arrivals == 1 }
            try await rewind("a", to: .sequenceNumber(Sample.number(2)))
            gate.open()
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 8 }
        }
        #expect(rig.target.numbers == Array(1...4) + Array(3...8))
        #expect(try rig.journal { try $0.kinds(of: "b") }.contains("faulted") == false)
        try rig.journal { _ = try $0.verify { _ in } }
    }

    //  a 1…4 ─── b 5…8 ─── c 9…12, which is followed
    @Test("Descendants that have begun stop, wait for the replay, and begin again from their start")
    func cascade() async throws {
        rig.source.add(
            FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...8, isClosed: true),
            FakeShard("c", parent: "b", 9...12))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "c") == 12 }
            let before = rig.target.applied.count
            let gate = rig.target.hold { $0.shard == "a" && $0.epoch == 1 }
            try await rewind("a", to: .sequenceNumber(Sample.number(2)))
            try await eventually("the parent's replay is at the target") { gate.arrivals == 1 }
            rig.source.put(13...14, in: "c")
            let looks = rig.clock.waits.count
            try await eventually("time goes by") { rig.clock.waits.count > looks + 2 }
            #expect(rig.target.applied.count == before, "the children wait")
            #expect(try daemon.journal.status(of: "b") == .waitingForParent)
            #expect(try daemon.journal.status(of: "c") == .waitingForParent)
            gate.open()
            try await eventually("all is journaled again") { try daemon.journal.number(of: "c") == 14 }
            #expect(Array(rig.target.applied.dropFirst(before)).flatMap(\.numbers) == [3, 4] + Array(5...14))
        }
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A descendant that has not begun is left alone: it only waits")
    func notBegun() async throws {
        rig.source.add(FakeShard("a", 1...4), FakeShard("b", parent: "a", 5...8))
        try await rig.run { daemon in
            try await eventually("the parent is journaled") { try daemon.journal.number(of: "a") == 4 }
            try await rewind("a", to: .sequenceNumber(Sample.number(2)))
            try await eventually("it is journaled again") { try daemon.journal.number(of: "a") == 4 }
            rig.source.close("a")
            try await eventually("the child is read") { try daemon.journal.number(of: "b") == 8 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 3, 4, 5, 6, 7, 8])
        #expect(try rig.journal { try $0.kinds(of: "b").contains("rewound") } == false)
    }

    @Test("A rewind that comes while a batch is being written lets the batch end, and its number is not journaled")
    func whileWriting() async throws {
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
            let gate = rig.target.hold { $0.numbers.contains(6) }
            rig.source.put(5...6, in: "a")
            try await eventually("the next batch is at the target") { gate.arrivals == 1 }
            try await rewind("a", to: .sequenceNumber(Sample.number(2)))
            gate.open()
            try await eventually("all is journaled again") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6])
        try rig.journal { journal in
            let events = try journal.events(of: "a")
            let rewound = try #require(events.firstIndex { $0.payload.kind == "rewound" })
            #expect(events[..<rewound].compactMap(\.advance).map(\.sequenceNumber) == [Sample.number(4)])
            #expect(events[rewound...].compactMap(\.advance).map(\.sequenceNumber) == [Sample.number(6)])
        }
    }

    @Test("A rewind of one shard leaves what others have in the target's hands as it is")
    func others() async throws {
        rig.source.add(FakeShard("a", 1...4), FakeShard("b", 5...8))
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "b") == 8
            }
            let gate = rig.target.hold { $0.numbers.contains(9) || $0.numbers.contains(10) }
            rig.source.put(9...9, in: "a")
            rig.source.put(10...10, in: "b")
            try await eventually("a batch is at the target") { gate.arrivals >= 1 }
            try await rewind("a", to: .sequenceNumber(Sample.number(2)))
            gate.open()
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 9 && daemon.journal.number(of: "b") == 10
            }
        }
        #expect(rig.target.numbers(of: "b") == [5, 6, 7, 8, 10])
        #expect(rig.target.applied.filter { $0.shard == "a" && $0.epoch == 1 }.flatMap(\.numbers) == [3, 4, 9])
    }

    @Test("A rewind while no daemon runs is taken up by the next one")
    func beforeStart() async throws {
        rig.source.add(FakeShard("a", 1...6))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 6 }
        }
        try await rewind("a", to: .sequenceNumber(Sample.number(3)))
        try await rig.run { daemon in
            try await eventually("all is journaled again") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(rig.target.numbers == Array(1...6) + [4, 5, 6])
    }

    @Test("Rewinds that come thick and fast end where the last one leads")
    func often() async throws {
        rig.source.add(FakeShard("a", 1...9, pageSize: 2))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
            for _ in 1...10 { try await rewindOnce(to: 1, daemon) }
            try await eventually("all is journaled again") { try daemon.journal.number(of: "a") == 9 }
        }
        let last = rig.target.applied.filter { $0.epoch == 10 }.flatMap(\.numbers)
        #expect(last == Array(2...9))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    /// The daemon may append between the look and the append: then the operator looks again.
    private func rewindOnce(to number: Int, _ daemon: Running) async throws {
        try await eventually("the rewind is appended") {
            do {
                try await rewind("a", to: .sequenceNumber(Sample.number(number)))
                return true
            } catch JournalError.conflict {
                return false
            } catch is RewindRefusal {
                return false  // the replay of the one before has not come that far
            }
        }
    }
}
