import Foundation
import StreamModel
import Testing

@testable import Journal

@Suite("A journal that is made of an export")
struct RebuildTests {
    private let scratch = Scratch()
    private let clock = Ticking()
    private static let run = RunStarted(role: "import", version: "0.1", host: "here", pid: 9)
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden").path
    private static let formats = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

    private var place: String { scratch.path + "/place" }

    private func rebuild(
        _ entries: [ExportedEntry], _ export: LogExport, at path: String
    ) throws(JournalError) -> CopyReport {
        var rebuild = try JournalRebuild(
            path, foldedTo: export.foldedTo, historyFoldedTo: export.historyFoldedTo, by: Self.run)
        do throws(JournalError) {
            for entry in entries {
                let said = try rebuild.add(hash: entry.hash, encoded: entry.encoded)
                guard said == entry else { throw .misfit(position: entry.first, problem: "it says something else") }
            }
        } catch {
            rebuild.discard()
            throw error
        }
        return try rebuild.finish()
    }

    private func check(_ before: Journal, _ path: String) async throws {
        let entries = try before.exported()
        let report = try rebuild(entries, try before.export(), at: path)
        let after = try Journal.open(path, .reader)
        #expect(try after.exported() == entries, "byte by byte")
        #expect(try Truth(after) == Truth(before))
        #expect(try after.verified() == report.verified)
        #expect(try after.verified() == before.verified())
        #expect(try after.lastDaemonRun() == before.lastDaemonRun())
        for shard in try before.checkpoints().map(\.shard) {
            for newestFirst in [false, true] {
                let query = HistoryQuery(newestFirst: newestFirst)
                #expect(try after.history(of: shard, query) == before.history(of: shard, query))
            }
        }
        #expect(FileManager.default.fileExists(atPath: path + "/daemon.lock"))
        #expect(try File.mode(path) == 0o700)
        #expect(try File.mode(path + "/data.mdb") == 0o600)
    }

    @Test("Golden journals of each format come back byte by byte", arguments: formats)
    func golden(format: String) async throws {
        try FileManager.default.createDirectory(atPath: scratch.journal, withIntermediateDirectories: false)
        try scratch.copy("\(Self.folder)/\(format)/data.mdb", to: "\(scratch.journal)/data.mdb")
        try await check(try Journal.open(scratch.journal, .reader), place)
    }

    @Test("A journal that was folded many times comes back, is folded on like the first, and takes appends")
    func folded() async throws {
        try await Journal.fillAndFold(scratch.journal, clock)
        let before = try Journal.open(scratch.journal, .reader)
        #expect(try before.exported().contains(where: \.isFolded))
        try await check(before, place)
        clock.advance(30 * 24 * 3600)
        for path in [scratch.journal, place] {
            try await Journal.use(path, clock) { journal in
                for checkpoint in try journal.checkpoints() {
                    _ = try await journal.append([
                        Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.faulted()])
                    ])
                }
                try journal.compactAll(clock.now, limit: 64)
            }
        }
        let (one, other) = try (Journal.open(scratch.journal, .reader), Journal.open(place, .reader))
        #expect(try one.exported() == other.exported())
        #expect(try one.verified() == other.verified())
    }

    @Test("The first line that can't come next is named, whatever was done to it; and nothing is left")
    func named() async throws {
        try await Journal.fillAndFold(scratch.journal, clock)
        let before = try Journal.open(scratch.journal, .reader)
        let (entries, export) = (try before.exported(), try before.export())
        var places = Array(stride(from: 0, to: entries.count - 1, by: 7))
        places.append(entries.firstIndex(where: \.isFolded) ?? 0)
        for index in places {
            for deed in Deed.allCases {
                let tampered = deed.done(to: entries, at: index)
                let error = failure { () throws(JournalError) in try rebuild(tampered, export, at: place) }
                let expected = deed == .twice ? entries[index].last.next : entries[index].first
                var named: Position?
                if case .misfit(let position, _)? = error { named = position }
                #expect(named == expected, "\(deed)")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["journal"])
    }

    /// What may have been done to a line.
    private enum Deed: CaseIterable {
        case bit, hash, leftOut, twice, swapped

        func done(to entries: [ExportedEntry], at index: Int) -> [ExportedEntry] {
            var all = entries
            let entry = all[index]
            switch self {
            case .bit:
                var encoded = entry.encoded
                encoded[encoded.count / 2] ^= 0x04
                all[index] = ExportedEntry(
                    first: entry.first, last: entry.last, hash: entry.hash, encoded: encoded, events: entry.events)
            case .hash:
                var hash = entry.hash
                hash[3] ^= 0x01
                all[index] = ExportedEntry(
                    first: entry.first, last: entry.last, hash: hash, encoded: entry.encoded, events: entry.events)
            case .leftOut: all.remove(at: index)
            case .twice: all.insert(entry, at: index)
            case .swapped: all.swapAt(index, index + 1)
            }
            return all
        }
    }

    @Test("What is folded while it is exported makes no export that looks whole")
    func foldedMeanwhile() async throws {
        try await Journal.use(scratch.journal, clock) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp)
            for number in 1...3000 {
                clock.advance(10)
                try await journal.add(1, .advanced(number))
            }
            var export = try journal.export()
            let first = try export.next()
            #expect(first.count < 3000)
            clock.advance(3 * 24 * 3600)
            try journal.compactAll(clock.now, limit: 1024)
            guard case .foldedMeanwhile? = failure({ () throws(JournalError) in try export.next() }) else {
                Issue.record("it went on in the middle of a stretch")
                return
            }
            // Begun anew it is whole.
            #expect(try journal.exported().contains(where: \.isFolded))
        }
    }

    @Test("A journal is never written over, and nothing is made of nothing")
    func refused() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        let before = try Journal.open(scratch.journal, .reader)
        let (entries, export) = (try before.exported(), try before.export())
        #expect(
            failure { () throws(JournalError) in try rebuild(entries, export, at: scratch.journal) }?.exitCode == 73)
        #expect(failure { () throws(JournalError) in try rebuild([], export, at: place) }?.exitCode == 65)
        #expect(try before.exported() == entries)
    }
}
