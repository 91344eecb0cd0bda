import Foundation
import StreamModel
import Testing

@testable import Journal

/// Journals as a version of a format wrote them, committed as they lie on the disk; beside each what `shakectl tail` and
/// `state` said of it. They open in every later version (docs/JOURNAL-FORMAT.md).
@Suite("Golden journals")
struct GoldenJournalTests {
    private let scratch = Scratch()

    private static let here = URL(filePath: #filePath).deletingLastPathComponent()
    private static let folder = here.appending(path: "Golden").path
    private static let formats = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

    /// Writes the golden journal of this format anew, where `SHAKE_GOLDEN` names a folder for it; see `tools/golden`.
    @Test("A golden journal is written", .enabled(if: ProcessInfo.processInfo.environment["SHAKE_GOLDEN"] != nil))
    func write() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment["SHAKE_GOLDEN"])
        try await GoldenStory.write(to: scratch.journal)
        try GoldenStory.makeUnknown(scratch.journal)
        try await GoldenStory.compact(scratch.journal)
        for file in ["data.mdb", "daemon.lock"] {
            try scratch.copy("\(scratch.journal)/\(file)", to: "\(folder)/\(file)")
        }
    }

    private func copy(_ format: String) throws -> String {
        try FileManager.default.createDirectory(atPath: scratch.journal, withIntermediateDirectories: false)
        for file in ["data.mdb", "daemon.lock"] {
            try scratch.copy("\(Self.folder)/\(format)/\(file)", to: "\(scratch.journal)/\(file)")
        }
        return scratch.journal
    }

    private static func lines(_ format: String, _ file: String) throws -> [[String: Any]] {
        try File.text("\(folder)/\(format)/\(file)").split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("There is one of this format, and it has every kind of event")
    func complete() async throws {
        #expect(Self.formats.contains("format-\(Schema.format)"))
        let journal = try Journal.open(try copy("format-\(Schema.format)"), .reader)
        let kinds = Set(try journal.everything().map(\.payload.kind))
        let proto = File.text(Self.here.appending(path: "../../Sources/JournalWire/journal.proto").path)
        let body = try #require(proto.firstMatch(of: /oneof payload \{([^}]*)\}/)).1
        let known = body.matches(of: /(\w+) = \d+;/).map { String($0.1) }
        #expect(known.count >= 17)
        #expect(
            kinds == Set(known).union([GoldenStory.unknown.kind]),
            "a new kind of event takes its place in GoldenStory, and `tools/golden` writes the journal anew")
    }

    @Test("Each is read to its last event, as it was written", arguments: formats)
    func events(format: String) async throws {
        let journal = try Journal.open(try copy(format), .reader)
        let events = try journal.everything()
        let lines = try Self.lines(format, "events.jsonl")
        #expect(events.count == lines.count)
        for (event, line) in zip(events, lines) {
            #expect(line["position"] as? UInt64 == event.position.number)
            #expect(line["event"] as? String == event.payload.kind)
            #expect(line["time"] as? String == event.time.description)
            #expect(line["run"] as? UInt64 == event.run.position.number)
            #expect(line["revision"] as? UInt64 == event.revision?.number)
            #expect(line["table"] as? String == event.subject.table?.text)
            #expect(line["shard"] as? String == event.subject.shard?.shard.text)
            if case .sequenceAdvanced(let advance) = event.payload {
                #expect(line["sequence_number"] as? String == advance.sequenceNumber.text)
                #expect(line["records"] as? UInt64 == advance.records)
            }
        }
        let report = try journal.verified()
        #expect(report.events == UInt64(lines.count { $0["event"] as? String != "advances_folded" }))
    }

    @Test("Each folds to the states that were kept of it", arguments: formats)
    func fold(format: String) async throws {
        let journal = try Journal.open(try copy(format), .reader)
        let events = try journal.everything()
        let lines = try Self.lines(format, "states.jsonl")
        let checkpoints = try journal.checkpoints()
        #expect(checkpoints.count == lines.count)
        for checkpoint in checkpoints {
            let line = try #require(lines.first { $0["shard"] as? String == checkpoint.shard.shard.text })
            #expect(try journal.checkpoint(of: checkpoint.shard, at: events.last?.position ?? .origin) == checkpoint)
            #expect(line["status"] as? String == checkpoint.status.rawValue)
            #expect(line["sequence_number"] as? String == checkpoint.sequenceNumber?.text)
            #expect(line["revision"] as? UInt64 == checkpoint.revision.number)
            #expect(line["position"] as? UInt64 == checkpoint.position.number)
            #expect(line["epoch"] as? UInt64 == checkpoint.epoch.number)
        }
        var tables: [TableName: TableState] = [:]
        for event in events {
            guard case .table(let name) = event.subject else { continue }
            tables[name, default: TableState(table: name)].apply(
                event.payload, position: event.position, time: event.time)
        }
        #expect(try journal.tables() == tables.values.sorted { $0.table < $1.table })
    }

    @Test("Each is gone on with, and what was there stays", arguments: formats)
    func goneOnWith(format: String) async throws {
        let path = try copy(format)
        let before = try Truth(try Journal.open(path, .reader))
        let (refusal, wrong) = try await Truth.judge(path, by: [before])
        #expect(refusal == nil)
        #expect(wrong == nil)
    }
}
