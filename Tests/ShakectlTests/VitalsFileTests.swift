import Dispatcher
import Foundation
import StreamModel
import Testing

@testable import shakectl

@Suite("The file of vital signs")
struct VitalsFileTests {
    private func read(_ signs: VitalSigns) throws -> VitalsFile.Reading {
        let folder = NSTemporaryDirectory() + "/shakectl-vitals-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        VitalsFile.write(signs, .all, in: folder)
        return VitalsFile.read(from: folder)
    }

    @Test("What was written is read")
    func reads() throws {
        let signs = VitalSigns(written: Sample.now, worker: "here/7", tables: [VitalSigns.Table(name: "orders")])
        #expect(try read(signs) == .signs(signs))
    }

    @Test("The shards of several tables are read as they were written, whatever a text in between looks like")
    func shards() throws {
        let trouble = VitalSigns.Trouble(since: Sample.now, tries: 1, cause: #""shards":[], "tables":[]"#)
        let shards = ["a", "b"].map { VitalSigns.Shard(id: $0, taken: Sample.now, trouble: trouble) }
        let tables = [
            VitalSigns.Table(name: "orders", listing: trouble, shards: shards), VitalSigns.Table(name: "users"),
            VitalSigns.Table(name: "x", trouble: trouble, shards: Array(shards.prefix(1))),
        ]
        let target = VitalSigns.Target(trouble: trouble.cause, lastWriteSeconds: 20)
        let signs = VitalSigns(written: Sample.now, worker: trouble.cause, target: target, tables: tables)
        #expect(try read(signs) == .signs(signs))
    }

    @Test(
        "A file with a time that no clock shows is damaged, and read as none",
        arguments: [Int64.min, -1, 253_402_300_800_000_000, .max])
    func times(microseconds: Int64) throws {
        let damaged = Timestamp(microseconds: microseconds)
        let unreadable = VitalsFile.Reading.unreadable("it does not hold what a daemon of this version writes")
        #expect(try read(VitalSigns(written: damaged, worker: "here/7")) == unreadable)
        var signs = VitalSigns(written: Sample.now, worker: "here/7")
        signs.tables = [VitalSigns.Table(name: "orders", shards: [VitalSigns.Shard(id: "a", taken: damaged)])]
        #expect(try read(signs) == unreadable)
    }
}
