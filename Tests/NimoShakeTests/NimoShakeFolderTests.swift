import Foundation
import StreamModel
import Testing

@testable import NimoShake

@Suite("NimoShake's files")
struct NimoShakeFolderTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "nimoshake-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    private static let status = #"{"Key":"status_key","StatusValue":"incr_sync"}"#
    private static func line(_ shard: String) -> String {
        #"{"ShardId":"\#(shard)","FatherId":"p","SequenceNumber":"42","Status":"in processing","WorkerId":"unknown-worker","#
            + #""IteratorType":"AT_SEQUENCE_NUMBER","ShardIt":"","UpdateDate":"2026-11-23T11:59:50Z","#
            + #""ApproximateTime":"2026-11-23 11:59:30 +0000 UTC"}"# + "\n"
    }

    @Test("A folder is one file a table, and the status of all of them")
    func whole() throws {
        try write(Self.status, to: "status_table")
        try write(Self.line("a") + Self.line("b"), to: "orders")
        try write("", to: "phantom")
        try write("x", to: ".hidden")
        try FileManager.default.createDirectory(at: folder.appending(path: "sub"), withIntermediateDirectories: false)
        let checkpoints = try NimoShakeFolder.read(folder.path)
        #expect(checkpoints.status == "incr_sync")
        #expect(checkpoints.tables.map(\.name.text) == ["orders", "phantom"])
        #expect(checkpoints.skipped.map(\.name) == [".hidden", "sub"])
        #expect(
            checkpoints.tables[0].rows.first
                == NimoShakeCheckpoint(
                    shard: "a", father: "p", sequenceNumber: "42", status: "in processing", worker: "unknown-worker",
                    iteratorType: "AT_SEQUENCE_NUMBER", updated: "2026-11-23T11:59:50Z",
                    approximateTime: "2026-11-23 11:59:30 +0000 UTC"))
        #expect(checkpoints.tables.map(\.isTorn) == [false, false])
    }

    @Test("A last line that was cut off anywhere is told, and what came before it is read")
    func torn() throws {
        try write(Self.status, to: "status_table")
        let (first, second) = (Self.line("a"), Self.line("b"))
        for length in 1..<(second.utf8.count - 1) {
            try write(first + String(second.prefix(length)), to: "orders")
            let table = try #require(try NimoShakeFolder.read(folder.path).tables.first)
            #expect(table.rows.map(\.shard) == ["a"])
            #expect(table.isTorn)
        }
        // Only its end is missing: nothing of it is lost.
        try write(first + String(second.dropLast()), to: "orders")
        let table = try #require(try NimoShakeFolder.read(folder.path).tables.first)
        #expect(table.rows.map(\.shard) == ["a", "b"] && !table.isTorn)
    }

    @Test("A line in the middle that is no checkpoint is named, as is a status that is cut off")
    func broken() throws {
        try write(Self.line("a") + "nonsense\n" + Self.line("b"), to: "orders")
        let orders = folder.appending(path: "orders").path
        #expect(throws: NimoShakeError.brokenLine(path: orders, line: 2, reason: "it is not the JSON of a shard")) {
            try NimoShakeFolder.read(folder.path)
        }
        try write(Self.line("a"), to: "orders")
        try write(#"{"Key":"status_k"#, to: "status_table")
        #expect(throws: NimoShakeError.brokenStatus(path: folder.appending(path: "status_table").path)) {
            try NimoShakeFolder.read(folder.path)
        }
    }

    @Test("What is no folder of NimoShake's is told from one that is not there")
    func elsewhere() throws {
        #expect(throws: NimoShakeError.noFolder(path: folder.path + "x")) {
            try NimoShakeFolder.read(folder.path + "x")
        }
        #expect(throws: NimoShakeError.nothingThere(source: folder.path)) { try NimoShakeFolder.read(folder.path) }
        try write("x", to: "file")
        let file = folder.appending(path: "file").path
        #expect(throws: NimoShakeError.notAFolder(path: file)) { try NimoShakeFolder.read(file) }
    }

    @Test("What mongoexport writes of the collections is the same, for checkpoints that lie in a MongoDB")
    func exported() throws {
        let id = #"{"_id":{"$oid":"65f0c0ffee65f0c0ffee65f0"},"#
        try write(id + Self.status.dropFirst() + "\n", to: "status_table")
        try write(id + Self.line("a").dropFirst(), to: "orders")
        let checkpoints = try NimoShakeFolder.read(folder.path)
        #expect(checkpoints.status == "incr_sync")
        #expect(checkpoints.tables.first?.rows.map(\.shard) == ["a"])
    }
}
