import Dispatcher
import Journal
import StreamModel
import TestSupport
import Testing

/// `shakectl resync`, beside a running daemon and between two.
@Suite("An operator asks for another full sync", .timeLimit(.minutes(2)))
struct DaemonResyncTests {
    private let rig = Rig(storesPositions: true)

    private func resync() async throws { try await rig.asOperator { try await $0.resync() } }

    /// How many full syncs were finished.
    private func finished(_ journal: Journal) throws -> Int {
        try journal.everything().count { $0.payload.kind == "scan_finished" }
    }

    @Test("A table that is followed is scanned again beside its stream, with no restart, and followed on")
    func whileFollowing() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
            rig.source.put(7...8, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 8 }
            let gate = rig.source.hold(.scan)
            try await resync()
            try await eventually("the scan begins again") { gate.arrivals == 2 }
            rig.source.put(9...9, in: "a")
            try await eventually("the stream is followed beside it") { try daemon.journal.number(of: "a") == 9 }
            gate.open()
            try await eventually("the scan is finished again") { try finished(daemon.journal) == 2 }
            #expect(try daemon.journal.phase() == .incrSync)
            rig.source.put(10...10, in: "a")
            try await eventually("the stream is followed still") { try daemon.journal.number(of: "a") == 10 }
        }
        #expect(rig.target.numbers == [7, 8, 9, 10])
        // The record 9 is about item-0, and nothing older may come over it.
        #expect(Set(rig.target.items().dropFirst(Rig.items.count)).union(Rig.followedKeys) == Rig.keys)
        try rig.journal { journal in
            let asked = try journal.everything().compactMap { event in
                if case .phaseChanged(let change) = event.payload { change.reason } else { nil }
            }
            #expect(asked.contains("operator asked for it: a test"))
            _ = try journal.verify { _ in }
        }
    }

    @Test("A scan that is under way begins again, whatever of it is at the target", arguments: [true, false])
    func whileScanning(isAtTarget: Bool) async throws {
        rig.addScannedTable()
        let gate = isAtTarget ? rig.target.hold { $0.shard == nil } : rig.source.hold(.scan)
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("a page is under way") { gate.arrivals >= 1 }
            let first = try daemon.journal.table(Sample.table)?.fullSync
            try await resync()
            rig.source.put(7...8, in: "a")
            try await eventually("it is seen") { try daemon.journal.table(Sample.table)?.fullSync != first }
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            rig.source.put(9...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
            #expect(try finished(daemon.journal) == 1)
        }
        #expect(Set(rig.target.items()).union(Rig.followedKeys) == Rig.keys)
        let state = try rig.journal { try $0.table(Sample.table) }
        #expect(state?.items == 20, "of the second scan alone")
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("A word that comes while the last page is at the target is not gone over by the end of that scan")
    func atTheEnd() async throws {
        rig.source.change(Sample.table) { $0.items = ["item-0"] }
        rig.source.add(FakeShard("a", 1...1))
        var configuration = Rig.scanning()
        configuration.scanSegments = 1
        // So that the daemon sees it when the scan has ended, and not before.
        configuration.watchInterval = .seconds(3600)
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(configuration) { daemon in
            try await eventually("the last page is at the target") { gate.arrivals == 1 }
            try await resync()
            gate.open()
            try await eventually("it is scanned again") { try finished(daemon.journal) == 1 }
            #expect(try daemon.journal.phase() == .incrSync)
        }
        #expect(rig.target.items().count == 2)
    }

    @Test("With --mode full the scan begins again", arguments: [true, false])
    func modeFull(isRunning: Bool) async throws {
        rig.addScannedTable()
        try await rig.scanPartly()
        if !isRunning { try await resync() }
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Rig.scanning(.full)) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            if isRunning { try await resync() }
            gate.open()
            try await eventually("the daemon ends, the scan being finished") { daemon.hasEnded }
        }
        #expect(try rig.journal { try finished($0) } == 1)
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == 20)
    }

    @Test("Without a daemon the next one takes it up")
    func between() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
        }
        try await resync()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the scan is finished again") { try finished(daemon.journal) == 2 }
        }
        #expect(rig.target.items().count == 2 * Rig.items.count)
    }

    @Test("A table that stands still for a loss goes on by one scan")
    func stopped() async throws {
        rig.addScannedTable()
        let configuration = Rig.scanning()
        try await rig.run(configuration) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.phase() == .incrSync }
            rig.source.put(7...8, in: "a")
            try await eventually("its records are journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        rig.source.change("a") {
            $0.put(9...12)
            $0.trimmed = 7
        }
        rig.source.add(FakeTable(TableName("another")))
        var two = configuration
        two.tables.append(TableName("another"))
        try await rig.run(two) { daemon in
            try await eventually("the table stands still") {
                try daemon.journal.checkpoint(of: Sample.key("a"))?.loss?.stops == true
            }
            try await resync()
            try await eventually("it is scanned again, and followed") {
                try daemon.journal.phase() == .incrSync
                    && daemon.journal.everything().count {
                        $0.payload.kind == "scan_finished" && $0.subject.table == Sample.table
                    } == 2
            }
            rig.source.put(13...13, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 13 }
        }
        #expect(rig.target.numbers == [7, 8, 13])
    }

    @Test("Of a paused table it is begun once that is resumed")
    func paused() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the stream is followed") {
                try daemon.journal.phase() == .incrSync && rig.shardsRead == ["a"]
            }
            try await rig.asOperator { try await $0.say(.pause) }
            try await eventually("it is not read any more") { rig.shardsRead.isEmpty }
            let scans = rig.source.calls(.scan).count
            try await resync()
            let waits = rig.clock.waits.count
            try await eventually("time goes by") { rig.clock.waits.count > waits + 8 }
            #expect(rig.source.calls(.scan).count == scans)
            try await rig.asOperator { try await $0.say(.resume) }
            try await eventually("the scan is finished again") { try finished(daemon.journal) == 2 }
        }
    }
}
