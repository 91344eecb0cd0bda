import Dispatcher
import Journal
import StreamModel
import Testing

@Suite("What lies in the target already")
struct DaemonExistingTests {
    private let rig = Rig()

    @Test("A table whose place is taken waits until that is settled, and nothing is written for it")
    func refused() async throws {
        rig.addScannedTable()
        rig.target.occupy(Sample.table, with: "it holds rows")
        let outcome = try await rig.run(Rig.scanning()) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(let error) = outcome else {
            Issue.record("it ended well")
            return
        }
        #expect(error.exitCode == 78)
        #expect(error.description.contains("it holds rows"))
        #expect(rig.target.items().isEmpty)

        rig.target.occupy(Sample.table, with: nil)
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("Of a table that the journal knows nothing is asked any more", arguments: [false, true])
    func resumed(inScan: Bool) async throws {
        rig.addScannedTable()
        if inScan {
            try await rig.scanPartly()
        } else {
            try await rig.run(Rig.scanning()) { daemon in
                try await eventually("it is scanned") { try daemon.journal.phase() == .incrSync }
            }
        }
        #expect(rig.target.begun == [Sample.table])
        rig.target.occupy(Sample.table, with: "it holds rows: those that it was given")
        rig.source.put(7...9, in: "a")
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.begun == [Sample.table])
    }

    @Test("Told to prepare only, it makes the places ready, and reads and journals nothing of the tables")
    func prepared() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.preparesOnly = true
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        try outcome.get()
        #expect(rig.target.begun == [Sample.table])
        #expect(rig.source.calls(.scan).isEmpty && rig.source.calls(.describeStream).isEmpty)
        #expect(try rig.journal { try $0.table(Sample.table) } == nil)
    }
}
