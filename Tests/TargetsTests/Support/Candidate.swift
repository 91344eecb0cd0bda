import AllTargets
import Foundation
import GRDB
import StreamModel
import Targets
import Testing

/// A target that must pass the conformance suite: how to make it, and how to see what it holds.
///
/// To add a target, add a value, and name it in `allCases`. Its server, where it needs one, is up before the first test and ends
/// with the process; each `Scratch` is a place of its own there.
struct Candidate: Sendable, CustomTestStringConvertible {
    let name: String
    /// Whether it holds items, or only their changes.
    var keepsState = true
    let make: @Sendable (Scratch) async throws -> any Target
    /// The items that the target holds of a table; an item that it holds twice is here twice.
    let items: @Sendable (TableSchema, Scratch) async throws -> [WireValue]

    var testDescription: String { name }

    static let allCases: [Candidate] = [.sqlite, .jsonLines, .postgres, .mongoDB, .mongoDBStandalone]

    static let sqlite = Candidate(name: "sqlite") { scratch in
        try TargetSchemes.all.make("sqlite:\(scratch.file("copy.db"))")
    } items: { table, scratch in
        try await DatabaseQueue(path: scratch.file("copy.db")).read { database in
            let name = table.name.text.quotedDatabaseIdentifier
            return try Data.fetchAll(database, sql: "SELECT CAST(item AS BLOB) FROM \(name)").map { try .item($0) }
        }
    }

    static let jsonLines = Candidate(name: "jsonl", keepsState: false) { scratch in
        try TargetSchemes.all.make("jsonl:\(scratch.file("changes.jsonl"))")
    } items: { table, scratch in
        try Line.all(in: scratch.bytes(of: "changes.jsonl")).reduce(into: Folded()) { try $0.apply($1, of: table) }
            .items
    }

    /// Lines, folded as a reader of the file would fold them.
    private struct Folded {
        private var byKey: [WireValue: WireValue] = [:]
        var items: [WireValue] { Array(byKey.values) }

        mutating func apply(_ line: Line, of table: TableSchema) throws {
            guard line.table == table.name.text else { return }
            let key = try WireValue.item(line.keys)
            byKey[key] = line.event == "REMOVE" ? nil : try line.newImage.map { try WireValue.item($0) }
        }
    }
}

/// One line of a JSON Lines target.
struct Line {
    let json: JSONText
    /// The bytes of the members that are spliced.
    let keys: [UInt8]
    let newImage: [UInt8]?

    var table: String? { json["table"]?.text }
    var shard: String? { json["shard"]?.text }
    var sequenceNumber: String? { json["sequence_number"]?.text }
    var event: String? { json["event"]?.text }
    var approximateTime: String? { json["approximate_time"]?.text }

    static func all(in bytes: [UInt8]) throws -> [Line] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.last?.isEmpty == true else { throw WireValue.Malformed("the last line has no end") }
        return try lines.dropLast().map { try Line(Array($0)) }
    }

    init(_ bytes: [UInt8]) throws {
        json = try JSONText.parse(bytes)
        // Members come in a fixed order, so a member ends where the next one's name begins.
        func member(_ name: String, before next: String?) throws -> [UInt8] {
            let start = try Self.find(",\"\(name)\":", in: bytes[...])
            let end = try next.map { try Self.find(",\"\($0)\":", in: bytes[start.upperBound...]).lowerBound }
            return Array(bytes[start.upperBound..<(end ?? bytes.count - 1)])
        }
        keys = try member("keys", before: "new_image")
        let image = try member("new_image", before: "old_image")
        newImage = image == Array("null".utf8) ? nil : image
    }

    private static func find(_ text: String, in bytes: ArraySlice<UInt8>) throws -> Range<Int> {
        guard let range = Data(bytes).range(of: Data(text.utf8)) else { throw WireValue.Malformed("no \(text)") }
        return bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound
    }
}
