import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Testing

/// The files of `touched/`, of a scan that fails and of one that is done.
@Suite("What is kept beside a scan lies where its name says, and goes with it", .timeLimit(.minutes(2)))
struct DaemonScanDiskTests {
    private let rig = Rig(storesPositions: true)

    @Test("A scan that failed for good before it brought anything is begun again with files that are there")
    func begunAgain() async throws {
        rig.addScannedTable()
        let other = TableName("other")
        rig.source.add(FakeTable(other))
        var configuration = Rig.scanning()
        configuration.tables = [Sample.table, other]
        configuration.scanReaders = 1
        rig.source.fail(.scan, of: Sample.table.text, with: .named("AccessDeniedException"), times: 1)
        let gate = rig.target.hold { $0.table == Sample.table && $0.shard == nil }
        try await rig.run(configuration) { daemon in
            try await eventually("the second try's page is at the target") { gate.arrivals == 1 }
            #expect(rig.source.calls(.scan, of: Sample.table.text).count >= 2)
            #expect(rig.keepsTouched)
            try await eventually("the first try's files are let go of") { rig.removedAndOpen.isEmpty }
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("When a scan is done its disk is given back, while the table is followed on", arguments: [false, true])
    func givenBack(isPausedBetween: Bool) async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.shard == nil }
        try await rig.run(Rig.scanning()) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            if isPausedBetween {
                try await rig.asOperator { try await $0.say(.pause) }
                gate.open()
                try await rig.asOperator { try await $0.say(.resume) }
            }
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            try await eventually("its files are removed") { !rig.keepsTouched }
            try await eventually("nobody has them open") { rig.removedAndOpen.isEmpty }
            rig.source.put(7...9, in: "a")
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 9 }
        }
    }
}
