import Dispatcher
import DynamoDB
import Journal
import StreamModel
import TestSupport
import Testing

/// What a scan waits for besides its pages: memory, and the table's capacity.
@Suite("A scan waits for room and for capacity", .timeLimit(.minutes(2)))
struct DaemonScanRoomTests {
    private let rig = Rig(storesPositions: true)

    /// The smallest budget, and pages of which two are more than it.
    private static func cramped(_ tables: [TableName] = [Sample.table]) -> DaemonConfiguration {
        var configuration = Rig.scanning()
        configuration.tables = tables
        configuration.memoryBudget = 2 * ByteBudget.reply
        configuration.scanSegments = 8
        configuration.scanReaders = 8
        return configuration
    }

    private func add(_ table: TableName) {
        var made = FakeTable(table)
        made.items = (0..<40).map { "item-\($0)" }
        made.scanPageWeight = ByteBudget.reply * 3 / 2
        rig.source.add(made)
    }

    @Test("Many readers of large pages share the smallest budget, of one table and of several, restarted too")
    func cramped() async throws {
        let tables = [Sample.table] + (1...4).map { TableName("other-\($0)") }
        for table in tables { add(table) }
        rig.source.add(FakeShard("a", 1...3))
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Self.cramped(tables)) { daemon in
            try await eventually("a page is at the target") { gate.arrivals >= 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        try await rig.run(Self.cramped(tables)) { daemon in
            try await eventually("all scans are finished") {
                try tables.allSatisfy { try daemon.journal.table($0)?.phase == .incrSync }
            }
            rig.source.put(4...6, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 6 }
        }
        for table in tables { #expect(Set(rig.target.items(of: table)).count == 40, "\(table)") }
    }

    /// So that the second page is due when nobody waits for it any more.
    private static var slow: DaemonConfiguration {
        var configuration = Rig.scanning()
        configuration.scanReaders = 1
        configuration.scanCapacity = .units(0.00001)
        return configuration
    }

    @Test("A scan that waits for its capacity begins again at an operator's word", arguments: [true, false])
    func resyncInWait(isBesideStream: Bool) async throws {
        rig.addScannedTable()
        var configuration = Self.slow
        configuration.mode = isBesideStream ? .all : .full
        let begins = { [rig] in rig.source.calls(.scan).count { $0.segment == 0 && $0.after == nil } }
        try await rig.run(configuration) { daemon in
            try await eventually("a page is journaled") {
                try daemon.journal.table(Sample.table)?.segments.isEmpty == false
            }
            #expect(begins() == 1)
            try await rig.asOperator { try await $0.resync() }
            try await eventually("the scan begins again") { begins() == 2 }
        }
    }

    @Test("As long as nobody knows what a page costs, one reader asks alone")
    func firstPage() async throws {
        rig.addScannedTable()
        var configuration = Self.slow
        configuration.scanReaders = 3
        try await rig.run(configuration) { daemon in
            try await eventually("the second page waits") { rig.clock.waits.contains { $0 > .seconds(50_000) } }
            #expect(rig.source.calls(.scan).count == 1)
            #expect(try daemon.journal.table(Sample.table)?.segments.count == 1)
        }
    }

    @Test("A scan that waits for room begins again at an operator's word")
    func resyncWithoutRoom() async throws {
        let other = TableName("other")
        add(Sample.table)
        add(other)
        rig.source.add(FakeShard("a"))
        let description = rig.source.hold(.describeTable, of: Sample.table.text)
        let gate = rig.target.hold { $0.table == other }
        try await rig.run(Self.cramped([Sample.table, other])) { daemon in
            try await eventually("a page is at the target, and the budget spent") { gate.arrivals >= 1 }
            description.open()
            // A word that came before would be of the scan that begins.
            try await eventually("the scan waits, and the stream beside it") { rig.shardsRead == ["a"] }
            #expect(rig.source.calls(.scan, of: Sample.table.text).isEmpty)
            let described = rig.source.calls(.describeTable, of: Sample.table.text).count
            try await rig.asOperator { try await $0.resync() }
            try await eventually("the table is taken up again") {
                rig.source.calls(.describeTable, of: Sample.table.text).count > described
            }
            gate.open()
            try await eventually("both scans are finished") {
                try [Sample.table, other].allSatisfy { try daemon.journal.table($0)?.phase == .incrSync }
            }
        }
    }
}
