import Dispatcher
import Journal
import StreamModel
import Testing

/// What was seen or decided before a suspension of the process is no longer so after it.
@Suite("A daemon that was suspended for days", .timeLimit(.minutes(2)))
struct DaemonSuspensionTests {
    private let rig = Rig()

    @Test("A first start that is suspended for days before it reads says what it may have lost")
    func suspendedAtFirst() async throws {
        let hours = Hours()
        rig.source.add(FakeShard("a", 1...6))
        let gate = rig.source.hold(.iterator, of: "a")
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("the start is asked for") { gate.arrivals == 1 }
            hours.set(46)
            rig.source.change("a") { $0.trimmed = 2 }
            gate.open()
            try await eventually("what is left is read") { try daemon.journal.number(of: "a") == 6 }
        }
        #expect(try rig.loss(of: "a")?.lost.cause == .stoodStill)
        #expect(rig.target.numbers == [3, 4, 5, 6])
    }

    @Test("So does a shard that was looked at before a suspension, in which another one's loss is looked into")
    func suspendedBetween() async throws {
        let hours = Hours()
        let configuration = Rig.following(onLoss: .skip)
        for (shard, numbers, moment) in [("b", 5...8, 0), ("a", 1...4, 2)] {
            hours.set(moment)
            rig.source.add(FakeShard(shard, numbers))
            rig.source.fail(.records, of: shard, with: .named("InternalServerError", status: 500))
            try await rig.run(configuration, now: hours.now) { daemon in
                try await eventually("it is taken up") { try daemon.journal.status(of: shard) == .inProcessing }
            }
        }
        rig.source.heal()
        hours.set(24)
        let gate = rig.source.hold(.iterator, of: "b")
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("what is left of the first is asked for") { gate.arrivals == 1 }
            hours.set(70)
            rig.source.change("a") { $0.trimmed = 2 }
            gate.open()
            try await eventually("what is left of both is read") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "b") == 8
            }
        }
        #expect(try rig.loss(of: "a")?.lost.cause == .stoodStill)
    }

    @Test("So does one that is suspended while it asks for what came since its anchor")
    func suspendedSinceAnchor() async throws {
        let configuration = try await rig.pinBehind(1...6, onLoss: .skip)
        rig.source.put(7...9, in: "a")
        // The pinned iterator has expired.
        let hours = Hours(1)
        let gate = rig.source.hold(.iterator, of: "a")
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("its start is asked for") { gate.arrivals == 1 }
            hours.set(47)
            rig.source.change("a") { $0.trimmed = 8 }
            gate.open()
            try await eventually("what is left is read") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(try rig.loss(of: "a")?.lost.cause == .stoodStill)
        #expect(rig.target.numbers == [9])
    }

    @Test("Children that were asked for before a suspension are asked for again")
    func suspendedAmongChildren() async throws {
        let hours = Hours()
        rig.source.add(FakeShard("a", 1...4, isClosed: true), FakeShard("b", parent: "a", 5...9, isListed: false))
        let gate = rig.source.hold(.children, of: "a")
        try await rig.run(Rig.following(onLoss: .skip), now: hours.now) { daemon in
            try await eventually("the children are asked for") { gate.arrivals == 1 }
            hours.set(46)
            rig.source.change("b") { ($0.isListed, $0.trimmed) = (true, 2) }
            gate.open()
            try await eventually("what is left is read") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(rig.source.calls(.children, of: "a").count == 2)
        #expect(try rig.loss(of: "b")?.lost.cause == .stoodStill)
        #expect(rig.target.numbers == Array(1...4) + Array(7...9))
    }

    @Test("What a process that was suspended had in its hands is no look at the stream")
    func cameAndWentBesideASuspendedProcess() async throws {
        rig.source.add(FakeShard("a", 1...4, isClosed: true))
        let gate = rig.target.hold()
        let hours = Hours()
        var configuration = Rig.following(onLoss: .skip)
        configuration.discoveryInterval = .seconds(200)
        try await rig.run(configuration, now: hours.now) { daemon in
            try await eventually("the target writes") { gate.arrivals == 1 }
            rig.source.remove("a")
            rig.source.add(FakeShard("c", parent: "b", 7...9))
            hours.set(25)
            gate.open()
            try await eventually("what is there is journaled") { try daemon.journal.number(of: "c") == 9 }
        }
        #expect(try rig.journal { try $0.status(of: "a") } == .done)
        #expect(try rig.loss(of: "c")?.lost.cause == .stoodStill)
    }
}
