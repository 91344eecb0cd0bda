import Dispatcher
import Journal
import StreamModel
import Targets
import Testing

/// docs/OPERATING.md, "A full sync".
@Suite("A daemon sweeps at the end of a full sync that is not the first", .timeLimit(.minutes(2)))
struct DaemonSweepTests {
    private let rig = Rig(storesPositions: true)

    /// Items 0 to 4 are gone at the source, and with them whatever would have said so.
    private static let left = Set(Rig.items.dropFirst(5))
    private static let refusal = TargetError.unavailable(target: "recording:", reason: "for a moment")

    private func scanThenLose() async throws {
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
            rig.source.put(7...7, in: "a")
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 7 }
        }
        #expect(rig.target.rows() == Set(Rig.items))
        rig.source.change(Sample.table) { $0.items = Array(Rig.items.dropFirst(5)) }
        rig.source.change("a") {
            $0.put(8...9)
            $0.trimmed = 5
        }
    }

    private func isSwept(_ daemon: Running) throws -> Bool {
        try daemon.journal.everything().count { $0.payload.kind == "scan_finished" } == 2
    }

    private func rowsSwept() throws -> UInt64 {
        try rig.events("rows_swept").reduce(0) { count, event in
            if case .rowsSwept(let swept) = event.payload { count + swept.rows } else { count }
        }
    }

    private func holdSweep() -> Gate {
        rig.target.hold { if case .sweep = $0.origin { true } else { false } }
    }

    @Test("Rows that went at the source within a lost range are gone in the end, and the journal says how many")
    func swept() async throws {
        rig.target.listRows()
        try await scanThenLose()
        #expect(try rig.events("rows_swept").isEmpty, "a first full sync sweeps nothing")
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is scanned again") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
        #expect(try rowsSwept() == 5)
        let kinds = try rig.journal { try $0.everything().map(\.payload.kind) }
        let (swept, finished) = (kinds.lastIndex(of: "rows_swept"), kinds.lastIndex(of: "scan_finished"))
        #expect(try #require(swept) < (try #require(finished)))
        #expect(!rig.keepsTouched)
    }

    @Test("What was in the target before the first full sync stays")
    func firstLeavesAll() async throws {
        var contents = RecordingTarget.Contents()
        contents.rows[Sample.table] = [CanonicalKey(hash: Array("foreign".utf8), range: nil)]
        rig.target.restore(contents)
        rig.target.listRows()
        rig.addScannedTable()
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.rows() == Set(Rig.items + ["foreign"]))
    }

    @Test("A row that the stream brings during the sweep stays")
    func streamWins() async throws {
        rig.target.listRows()
        try await scanThenLose()
        let gate = holdSweep()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("rows are to be removed") { gate.arrivals == 1 }
            // The item 1, which is to be removed with the item 0.
            rig.source.put(10...10, in: "a")
            gate.open()
            try await eventually("all is done") { try isSwept(daemon) && daemon.journal.number(of: "a") == 10 }
        }
        #expect(rig.target.rows() == Self.left.union(["item-1"]))
    }

    @Test("Killed wherever it is, it goes on until nothing is left that is gone", arguments: 1...110)
    func killed(step: Int) async throws {
        rig.target.listRows()
        try await scanThenLose()
        var configuration = Rig.resyncing
        configuration.untilIdle = .milliseconds(100)
        try await rig.crash(configuration, at: Fuse(steps: step))
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is scanned again") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
    }

    @Test("A stop within the sweep ends it; the next start goes on with it, and scans no page again")
    func stopped() async throws {
        rig.target.listRows()
        try await scanThenLose()
        let gate = holdSweep()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("rows are to be removed") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
            #expect(try daemon.journal.phase() == .fullSync)
        }
        let scans = rig.source.calls(.scan).count
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("the sweep is done") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
        #expect(rig.source.calls(.scan).count == scans)
    }

    @Test("A target that is out of reach for a moment is asked again, for its rows and to remove them")
    func unavailable() async throws {
        rig.target.listRows()
        try await scanThenLose()
        let scan = rig.source.hold(.scan)
        let gate = holdSweep()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("the scan begins") { scan.arrivals > 0 }
            rig.target.listRows(after: [Self.refusal, Self.refusal])
            scan.open()
            try await eventually("rows are to be removed") { gate.arrivals == 1 }
            rig.target.refuse([Self.refusal])
            gate.open()
            try await eventually("the sweep is done") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
        #expect(rig.log.messages.contains { $0.hasPrefix("the target does not list its rows") })
    }

    @Test("An item that the target can't hold as it is now keeps the row that it has")
    func refusedRow() async throws {
        rig.target.listRows()
        try await scanThenLose()
        rig.target.cannotHold("item-7")
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is scanned again") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
        #expect(rig.deadLetters.count == 1)
    }

    @Test("Of a target that can't list its rows it is said, once, that they stay")
    func cannotList() async throws {
        try await scanThenLose()
        try await rig.run(Rig.resyncing) { daemon in
            try await eventually("it is scanned again") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Set(Rig.items))
        #expect(rig.log.messages.count { $0.hasPrefix("the target can't list its rows") } == 1)
        #expect(try rig.events("rows_swept").isEmpty)
    }

    @Test(
        "A first full sync that begins again sweeps, save where what was in the target before is to stay",
        arguments: [false, true])
    func firstBeginsAgain(fillsOn: Bool) async throws {
        rig.target.listRows()
        if fillsOn {
            var contents = RecordingTarget.Contents()
            contents.rows[Sample.table] = [CanonicalKey(hash: Array("foreign".utf8), range: nil)]
            rig.target.restore(contents)
            rig.target.fillOn()
        }
        rig.addScannedTable()
        try await rig.scanPartly()
        try await rig.asOperator { try await $0.resync() }
        rig.source.change(Sample.table) { $0.items = Array(Rig.items.dropFirst(5)) }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.rows().contains("foreign") == fillsOn)
        #expect(rig.target.rows().isSuperset(of: Self.left))
        #expect(rig.target.rows().contains("item-0") == fillsOn, "nobody can tell it from a foreign one")
        // Once it was followed, all of it is known to be ours.
        try await rig.asOperator { try await $0.resync() }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned again") { try isSwept(daemon) }
        }
        #expect(rig.target.rows() == Self.left)
    }
}
