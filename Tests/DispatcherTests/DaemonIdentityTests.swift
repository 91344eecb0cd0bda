import Dispatcher
import Filter
import Journal
import StreamModel
import Testing

@Suite("A daemon knows which table has a name, and which of its items it wants", .timeLimit(.minutes(2)))
struct DaemonIdentityTests {
    private let rig = Rig(storesPositions: true)

    private static let second = StreamARN("\(Sample.stream.text)-of-the-second")
    private static let new = ShardKey(table: Sample.table, stream: second, shard: ShardID("n"))
    private static let left = Array(Rig.items.dropFirst(5))

    private static var configuration: DaemonConfiguration {
        var configuration = Rig.scanning()
        configuration.discoveryInterval = .milliseconds(20)
        return configuration
    }

    /// Another table of the same name, which lacks five of the items.
    private func makeAgain() {
        rig.source.close("a")
        rig.source.add(FakeShard("n", 18...19).moved(to: Self.second))
        rig.source.change(Sample.table) { table in
            table.olderStreams = [table.stream]
            (table.id, table.stream, table.items) = (TableID("the second"), Self.second, Self.left)
        }
    }

    private func copiesSecond(_ daemon: Running) async throws {
        try await eventually("the second is copied") {
            // One look: between two of them the second may be known and the first be copied.
            let state = try daemon.journal.table(Sample.table)
            return state?.phase == .incrSync && state?.id == TableID("the second")
        }
        rig.source.put(20...21, in: "n")
        try await eventually("and followed") {
            try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(21)
        }
    }

    /// Records 20 and 21 are about the items 2 and 0, of which the second table brings one back.
    private func holdsSecond() throws {
        #expect(rig.target.rows() == Set(Self.left).union(["item-2", "item-0"]))
        try rig.journal { journal in
            #expect(try journal.table(Sample.table)?.loss == nil, "nothing of it is lost")
            #expect(try journal.number(of: "a") == 7, "the history of the first is there")
            #expect(try journal.everything().contains { $0.payload.kind == "range_lost" } == false)
            _ = try journal.verify { _ in }
        }
    }

    private func followFirst(_ daemon: Running) async throws {
        try await eventually("the first is copied") { try daemon.journal.phase() == .incrSync }
        rig.source.put(7...7, in: "a")
        try await eventually("and followed") { try daemon.journal.number(of: "a") == 7 }
    }

    @Test("A table that is made again under its name is copied in full, and is no loss", arguments: [true, false])
    func madeAgain(isRunning: Bool) async throws {
        rig.target.listRows()
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in
            try await followFirst(daemon)
            guard isRunning else { return }
            makeAgain()
            try await copiesSecond(daemon)
        }
        if !isRunning {
            makeAgain()
            try await rig.run(Self.configuration) { daemon in try await copiesSecond(daemon) }
        }
        try holdsSecond()
    }

    @Test("Made again within its scan, it is scanned from the beginning", arguments: [true, false])
    func madeAgainWithinScan(isRunning: Bool) async throws {
        rig.target.listRows()
        rig.addScannedTable()
        if isRunning {
            let gate = rig.source.hold(.scan)
            try await rig.run(Self.configuration) { daemon in
                try await eventually("a page is asked for") { gate.arrivals >= 1 }
                rig.source.put(7...7, in: "a")
                try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 7 }
                makeAgain()
                let calls = rig.source.calls(.describeTable).count
                try await eventually("it is asked for") { rig.source.calls(.describeTable).count > calls }
                gate.open()
                try await copiesSecond(daemon)
            }
        } else {
            try await rig.scanPartly()
            rig.source.put(7...7, in: "a")
            makeAgain()
            try await rig.run(Self.configuration) { daemon in try await copiesSecond(daemon) }
        }
        #expect(rig.target.rows().isSuperset(of: Self.left))
        #expect(rig.target.rows().isDisjoint(with: ["item-1", "item-3", "item-4"]))
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == UInt64(Self.left.count))
    }

    @Test("Killed wherever it is, the second is there in the end", arguments: Array(stride(from: 1, to: 160, by: 3)))
    func killed(step: Int) async throws {
        rig.target.listRows()
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in try await followFirst(daemon) }
        makeAgain()
        var configuration = Self.configuration
        configuration.untilIdle = .milliseconds(100)
        try await rig.crash(configuration, at: Fuse(steps: step))
        try await rig.run(Self.configuration) { daemon in try await copiesSecond(daemon) }
        try holdsSecond()
    }

    @Test(
        "A table of another account or region is not taken for one that was made again: nothing is copied over the other"
    )
    func elsewhere() async throws {
        rig.target.listRows()
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in try await followFirst(daemon) }
        makeAgain()
        rig.source.change(Sample.table) { table in
            table.stream = StreamARN(
                "arn:aws:dynamodb:us-east-1:9:table/\(Sample.table)/stream/2026-11-24T00:00:00.000")
        }
        let outcome = try await rig.runToRest(Self.configuration)
        #expect {
            try outcome.get()
        } throws: { error in
            (error as? DaemonError)?.exitCode == 78 && "\(error)".contains("us-east-1:9")
        }
        #expect(rig.target.rows() == Set(Rig.items))
        #expect(try rig.journal { try $0.phase() } == .incrSync)
    }

    @Test("The same table with another stream is no other table: what came between the streams may be lost")
    func sameTable() async throws {
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in try await followFirst(daemon) }
        makeAgain()
        rig.source.change(Sample.table) { $0.id = TableID("the first of its name") }
        try await rig.run(Self.configuration) { daemon in
            try await eventually("it is said") { try daemon.journal.table(Sample.table)?.loss != nil }
        }
        #expect(try rig.journal { try $0.table(Sample.table)?.loss?.lost.cause } == .streamReplaced)
    }

    @Test("With --mode incr, which copies nothing, what came between the two is a loss")
    func followedOnly() async throws {
        rig.source.add(FakeShard("a", 4...6))
        try await rig.run(Rig.following) { daemon in
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 6 }
        }
        makeAgain()
        try await rig.run(Rig.following(onLoss: .skip)) { daemon in
            try await eventually("the second is followed") {
                try daemon.journal.checkpoint(of: Self.new)?.sequenceNumber == Sample.number(19)
            }
        }
        let state = try rig.journal { try $0.table(Sample.table) }
        #expect(state?.id == TableID("the second"))
        #expect(state?.phase == .incrSync)
    }

    @Test(
        "That a table is gone is journaled once, and that it is back; nothing of it is touched",
        arguments: [true, false])
    func gone(isRunning: Bool) async throws {
        rig.target.listRows()
        rig.addScannedTable()
        func disappear() {
            rig.source.change(Sample.table) { $0.isDeleted = true }
            rig.source.close("a")
        }
        try await rig.run(Self.configuration) { daemon in
            try await followFirst(daemon)
            guard isRunning else { return }
            disappear()
            try await eventually("it is said") { try daemon.journal.table(Sample.table)?.removed != nil }
        }
        if !isRunning {
            disappear()
            for _ in 1...2 { _ = try await rig.runToRest(Self.configuration) }
        }
        #expect(try rig.events("table_removed").count == 1)
        #expect(rig.target.rows() == Set(Rig.items))
        rig.source.change(Sample.table) { $0.isDeleted = false }
        try await rig.run(Self.configuration) { daemon in
            try await eventually("it is back") { try daemon.journal.table(Sample.table)?.removed == nil }
        }
        #expect(try rig.journal { try $0.phase() } == .incrSync)
    }

    @Test("An endpoint that says nothing of which table it is, is believed")
    func unnamed() async throws {
        rig.source.change(Sample.table) { $0.id = nil }
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in try await followFirst(daemon) }
        let position = try rig.journal { try $0.table(Sample.table)?.position }
        try await rig.run(Self.configuration) { daemon in
            rig.source.put(8...8, in: "a")
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 8 }
        }
        #expect(try rig.journal { try $0.table(Sample.table)?.position } == position, "nothing was to be noted")
    }

    // MARK: - Which items

    private static func filtered(_ configuration: DaemonConfiguration = configuration) throws -> DaemonConfiguration {
        var (configuration, placeholders) = (configuration, try Placeholders())
        configuration.filters = TableFilters(try ItemFilter("attribute_exists(id)", &placeholders))
        return configuration
    }

    @Test("A scan that goes on with another filter begins again")
    func anotherFilterWithinScan() async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        let begun = try rig.journal { try $0.table(Sample.table)?.fullSync }
        try await rig.run(try Self.filtered()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
        }
        let state = try rig.journal { try $0.table(Sample.table) }
        #expect(state?.fullSync != begun)
        #expect(state?.items == UInt64(Rig.items.count), "all of it by one filter")
    }

    @Test("A table that is followed with another filter is said to be, once, and goes on")
    func anotherFilter() async throws {
        rig.addScannedTable()
        try await rig.run(Self.configuration) { daemon in try await followFirst(daemon) }
        for number in 8...9 {
            try await rig.run(try Self.filtered()) { daemon in
                rig.source.put(number...number, in: "a")
                try await eventually("it is followed") { try daemon.journal.number(of: "a") == number }
            }
        }
        let reasons = try rig.events("phase_changed").compactMap { event in
            if case .phaseChanged(let change) = event.payload { change.reason } else { nil }
        }
        #expect(reasons.count { $0.contains("another filter") } == 1)
        #expect(rig.log.messages.count { $0.contains("another filter") } == 1)
    }
}
