import Dispatcher
import Journal
import StreamModel
import TestSupport
import Testing

/// FACTS 1.5; DESIGN 7, invariant 3.
@Suite("A daemon follows a lineage", .timeLimit(.minutes(2)))
struct DaemonLineageTests {
    private let rig = Rig()

    //  a ─┬─ b ─┬─ d
    //     │     └─ e
    //     └─ c ─── f
    private func addTree() {
        rig.source.add(
            FakeShard("a", 1...6, isClosed: true, pageSize: 2),
            FakeShard("b", parent: "a", 7...12, isClosed: true, pageSize: 2),
            FakeShard("c", parent: "a", 13...18, isClosed: true, pageSize: 2),
            FakeShard("d", parent: "b", 19...24), FakeShard("e", parent: "b", 25...30),
            FakeShard("f", parent: "c", 31...36))
    }

    @Test("A child's first record is written only after its parent's last one is journaled, and its parent done")
    func parentsFirst() async throws {
        addTree()
        try await rig.run { daemon in
            rig.target.witness { [journal = daemon.journal] batch in
                guard let shard = batch.shard, let parent = try journal.checkpoint(of: Sample.key(shard))?.parent else {
                    return
                }
                let status = try journal.status(of: parent.text)
                guard status == .done else {
                    throw NeverCame(description: "\(shard) is written while \(parent) is \(String(describing: status))")
                }
            }
            try await eventually("the leaves are read") {
                try ["d": 24, "e": 30, "f": 36].allSatisfy { try daemon.journal.number(of: $0.key) == $0.value }
            }
        }
        #expect(rig.target.unwitnessed == [])
        #expect(rig.target.numbers.sorted() == Array(1...36))
        for (parent, child) in [("a", "b"), ("a", "c"), ("b", "d"), ("b", "e"), ("c", "f")] {
            let last = try #require(rig.target.applied.lastIndex { $0.shard == parent })
            let first = try #require(rig.target.applied.firstIndex { $0.shard == child })
            #expect(last < first, "\(parent) before \(child)")
        }
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A child is not even taken up while its parent's last batch is being written")
    func childWaits() async throws {
        addTree()
        let gate = rig.target.hold { $0.numbers.contains(6) }
        try await rig.run { daemon in
            try await eventually("the parent's last batch is at the target") { gate.arrivals == 1 }
            let looks = rig.clock.waits.count
            try await eventually("time goes by") { rig.clock.waits.count > looks + 2 }
            #expect(try daemon.journal.status(of: "b") == .waitingForParent)
            #expect(try daemon.journal.kinds(of: "b").contains("queried") == false)
            #expect(rig.source.calls(.iterator, of: "b").isEmpty)
            gate.open()
            try await eventually("the child is read") { try daemon.journal.number(of: "b") == 12 }
        }
    }

    @Test("A parent that no listing shows counts as done")
    func missingParent() async throws {
        rig.source.add(FakeShard("b", parent: "trimmed long ago", 1...5))
        try await rig.run { daemon in
            try await eventually("the shard is read") { try daemon.journal.number(of: "b") == 5 }
        }
        #expect(rig.target.numbers == Array(1...5))
    }

    @Test("So does one of which the stream says that it is trimmed, and nobody asks for it again")
    func trimmedParent() async throws {
        rig.source.add(FakeShard("b", parent: "a", 1...5))
        rig.source.fail(.iterator, of: "a", with: .named("TrimmedDataAccessException"))
        try await rig.run { daemon in
            try await eventually("the shard is read") { try daemon.journal.number(of: "b") == 5 }
        }
        #expect(rig.source.calls(.iterator, of: "a").count == 1)
        #expect(rig.source.calls(.describeStream).count == 1)
    }

    @Test("Of many parents that a listing lacks eight are asked for at a time")
    func manyMissing() async throws {
        for index in 1...20 { rig.source.add(FakeShard("child-\(index)", parent: "parent-\(index)", index...index)) }
        let gate = rig.source.hold(.iterator)
        try await rig.run { daemon in
            try await eventually("eight are asked for") { gate.arrivals >= 8 }
            // Whoever asked for more would have done so at once.
            for _ in 1...1000 { await Task.yield() }
            #expect(gate.arrivals == 8)
            gate.open()
            try await eventually("all are read") {
                try (1...20).allSatisfy { (index: Int) in try daemon.journal.number(of: "child-\(index)") == index }
            }
        }
        #expect((1...20).allSatisfy { rig.source.calls(.iterator, of: "parent-\($0)").count == 1 })
    }

    @Test("A shard that listings show without its parent waits until they show that, and what follows it waits too")
    func parentBetweenPages() async throws {
        var parent = FakeShard("a", 1...5, isClosed: true)
        parent.hiddenListings = 3
        rig.source.add(parent, FakeShard("b", parent: "a", 6...9, isClosed: true), FakeShard("c", parent: "b", 10...12))
        try await rig.run { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "c") == 12 }
        }
        #expect(rig.target.numbers == Array(1...12), "nothing is read before what it follows, and nothing twice")
        #expect(rig.source.calls(.describeStream).count == 4)
    }

    @Test("A parent that the stream has and never lists keeps nobody waiting for ever")
    func neverListed() async throws {
        var parent = FakeShard("a", 1...5, isClosed: true)
        parent.hiddenListings = .max
        rig.source.add(parent, FakeShard("b", parent: "a", 6...9))
        try await rig.run { daemon in
            try await eventually("the shard is read") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(rig.source.calls(.iterator, of: "a").count == 21)
    }

    @Test(
        "At --start-at latest a shard whose parent has left the stream begins at its newest record, though it is believed late"
    )
    func strangerAtLatest() async throws {
        rig.source.add(FakeShard("b", parent: "trimmed long ago", 1...5), FakeShard("x", 6...7))
        var configuration = Rig.following
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("both are followed") {
                try daemon.journal.status(of: "b") == .inProcessing && daemon.journal.status(of: "x") == .inProcessing
            }
            rig.source.put(11...12, in: "b")
            try await eventually("what is new is read") { try daemon.journal.number(of: "b") == 12 }
        }
        #expect(rig.target.numbers == [11, 12])
    }

    @Test("A shard that splits while it is followed is continued in its children, without waiting for the timer")
    func split() async throws {
        rig.source.add(FakeShard("a", 1...5))
        try await rig.run { daemon in
            try await eventually("the shard is followed") { try daemon.journal.number(of: "a") == 5 }
            rig.source.put(6...8, in: "a")
            rig.source.add(FakeShard("b", parent: "a", 9...12), FakeShard("c", parent: "a", 13...16))
            rig.source.close("a")
            try await eventually("its children are followed") {
                try daemon.journal.number(of: "b") == 12 && daemon.journal.number(of: "c") == 16
            }
            #expect(try daemon.journal.status(of: "a") == .done)
        }
        #expect(rig.target.numbers(of: "a") == Array(1...8))
        #expect(rig.source.calls(.describeStream).count == 1)
        #expect(rig.source.calls(.iterator, of: "b").map(\.type) == [.trimHorizon])
    }

    @Test("Children that the service shows only later are asked for again")
    func lateChildren() async throws {
        rig.source.add(
            FakeShard("a", 1...5, isClosed: true), FakeShard("b", parent: "a", 6...9, isListed: false))
        try await rig.run { daemon in
            try await eventually("they were asked for and not shown") {
                rig.source.calls(.children, of: "a").count >= 2
            }
            rig.source.change("b") { $0.isListed = true }
            try await eventually("the child is followed") { try daemon.journal.number(of: "b") == 9 }
        }
        #expect(rig.source.calls(.describeStream).count == 1)
    }

    @Test("Children that come even later are found by the timer")
    func muchLaterChildren() async throws {
        rig.source.add(
            FakeShard("a", 1...5, isClosed: true), FakeShard("b", parent: "a", 6...9, isListed: false))
        rig.source.fail(.children, with: .named("AccessDeniedException"))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(1)
        try await rig.run(configuration) { daemon in
            try await eventually("the parent is done") { try daemon.journal.status(of: "a") == .done }
            rig.source.change("b") { $0.isListed = true }
            try await eventually("the child is followed") { try daemon.journal.number(of: "b") == 9 }
        }
    }

    @Test("A listing that fails for a while holds up no shard that is known")
    func listingFails() async throws {
        rig.source.add(FakeShard("a", 1...5))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(1)
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is followed") { try daemon.journal.number(of: "a") == 5 }
            rig.source.fail(.describeStream, with: .named("ThrottlingException"))
            let listings = rig.source.calls(.describeStream).count
            try await eventually("listings fail") { rig.source.calls(.describeStream).count > listings + 3 }
            rig.source.put(6...9, in: "a")
            rig.source.add(FakeShard("b", 10...12))
            try await eventually("the shard is followed still") { try daemon.journal.number(of: "a") == 9 }
            #expect(try daemon.journal.status(of: "b") == nil)
            rig.source.heal()
            try await eventually("the new shard is followed") { try daemon.journal.number(of: "b") == 12 }
            let faults = try daemon.journal.everything().filter { $0.subject == .table(Sample.table) }.compactMap(
                \.fault)
            #expect(faults.map(\.code) == ["ThrottlingException"], "said once, not with every try")
        }
    }

    //  a ─── b ─── c, of which the first listing shows b and c
    @Test("Where a parent is listed after its child has begun, what is below it waits and is read again after it")
    func lateParent() async throws {
        rig.source.add(
            FakeShard("a", 1...5, isClosed: true, isListed: false), FakeShard("b", parent: "a", 6...9, isClosed: true),
            FakeShard("c", parent: "b", 10...12), FakeShard("x", 20...22))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(1)
        let gate = rig.source.hold(.records, of: "a")
        try await rig.run(configuration) { daemon in
            try await eventually("all that is listed is followed") {
                try daemon.journal.number(of: "c") == 12 && daemon.journal.number(of: "x") == 22
            }
            rig.source.change("a") { $0.isListed = true }
            try await eventually("the parent is taken up") { gate.arrivals == 1 }
            let before = rig.target.applied.count
            rig.source.put(13...15, in: "c")
            rig.source.put(23...25, in: "x")
            try await eventually("the other shard is followed still") { try daemon.journal.number(of: "x") == 25 }
            gate.open()
            try await eventually("what is below is followed again") { try daemon.journal.number(of: "c") == 15 }
            let again = rig.target.applied.dropFirst(before).filter { $0.shard != "x" }
            #expect(again.flatMap(\.numbers) == Array(1...15))
        }
        #expect(rig.target.numbers(of: "x") == Array(20...25))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("Three hundred shards are followed side by side")
    func many() async throws {
        for index in 1...300 { rig.source.add(FakeShard("shard-\(index)", index...index)) }
        try await rig.run { _ in
            try await eventually("every shard is read") { rig.target.numbers.count == 300 }
        }
        #expect(Set(rig.target.numbers) == Set(1...300))
    }

    @Test(
        "A shard that is done is not read again: listed still, after a restart, and come back after it had left the listing"
    )
    func doneStaysDone() async throws {
        rig.source.add(FakeShard("a", 1...5, isClosed: true), FakeShard("b", parent: "a", 6...9))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(1)
        func look(_ daemon: Running) async throws {
            let listings = rig.source.calls(.describeStream).count
            try await eventually("it is listed twice") { rig.source.calls(.describeStream).count >= listings + 2 }
            #expect(try daemon.journal.status(of: "a") == .done)
        }
        for start in 1...2 {
            rig.source.change("a") { $0.isListed = true }
            try await rig.run(configuration) { daemon in
                try await eventually("its child is read") { try daemon.journal.number(of: "b") == 9 }
                try await look(daemon)
                rig.source.change("a") { $0.isListed = false }
                try await look(daemon)
                rig.source.change("a") { $0.isListed = true }
                try await look(daemon)
            }
            #expect(rig.source.calls(.iterator, of: "a").count == 1, "start \(start)")
        }
        #expect(rig.target.numbers == Array(1...9))
        let statuses = try rig.journal { try $0.events(of: "a").compactMap(\.newStatus) }
        #expect(statuses == [.inProcessing, .done])
    }

    //  a ── b ── c      all but c are done
    @Test("A shard that was let go of and is listed again is no parent that was listed late")
    func comesBack() async throws {
        rig.source.add(
            FakeShard("a", 1...5, isClosed: true), FakeShard("b", parent: "a", 6...9, isClosed: true),
            FakeShard("c", parent: "b", 10...12))
        var configuration = Rig.following
        configuration.discoveryInterval = .seconds(1)
        func look() async throws {
            let listings = rig.source.calls(.describeStream).count
            try await eventually("it is listed twice") { rig.source.calls(.describeStream).count >= listings + 2 }
        }
        try await rig.run(configuration) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "c") == 12 }
            try await look()
            for _ in 1...2 {
                for isListed in [false, true] {
                    rig.source.change("a") { $0.isListed = isListed }
                    try await look()
                }
            }
        }
        #expect(rig.target.numbers == Array(1...12))
        for shard in ["a", "b", "c"] {
            #expect(try rig.journal { try $0.kinds(of: shard) }.filter { $0 == "rewound" } == [], "\(shard)")
        }
        #expect(try rig.journal { try $0.kinds(of: "a") }.filter { $0 == "shard_discovered" }.count == 1)
    }
}
