import Foundation
import StreamModel
import TestSupport
import Testing

@testable import Journal

/// LMDB writes the pages of a transaction to places that nobody reads, makes them durable, and then writes 120 bytes of a
/// meta page. So what a kill leaves is the old file and some of these writes, and what a loss of power leaves is the old file
/// and any part of the pages, down to sectors, without the meta page, or all of them with it.
@Suite("A commit that was not finished")
struct JournalTornCommitTests {
    private let scratch = Scratch()
    private static let pageSize = 4096
    private static let sector = 512
    /// What LMDB writes of a meta page: from its map size to its transaction (mdb.c, `mdb_env_write_meta`).
    private static let metaBytes = 32..<152

    /// The file after a transaction, and what it says.
    private struct State {
        let bytes: [UInt8]
        let truth: Truth
    }

    private struct Commit {
        let old: State
        let new: State
        /// Pages that it wrote, in the order in which LMDB writes them.
        let pages: [Int]
        let metaPage: Int

        init(_ old: State, _ new: State) {
            (self.old, self.new) = (old, new)
            let changed = (0..<new.bytes.count / pageSize).filter { page in
                let range = page * pageSize..<(page + 1) * pageSize
                return range.upperBound > old.bytes.count || old.bytes[range] != new.bytes[range]
            }
            pages = changed.filter { $0 > 1 }
            metaPage = changed.first { $0 < 2 } ?? 0
        }

        /// The old file with some bytes of the new one.
        func torn(_ ranges: [Range<Int>]) -> [UInt8] {
            var bytes = old.bytes
            for range in ranges {
                if bytes.count < range.upperBound {
                    bytes += [UInt8](repeating: 0, count: range.upperBound - bytes.count)
                }
                bytes.replaceSubrange(range, with: new.bytes[range])
            }
            return bytes
        }

        func range(_ page: Int) -> Range<Int> { page * pageSize..<(page + 1) * pageSize }
    }

    private func commits() async throws -> [Commit] {
        var states: [State] = []
        try await Journal.use(scratch.journal) { journal in
            func note() throws {
                states.append(State(bytes: try File.bytes(scratch.journal + "/data.mdb"), truth: try Truth(journal)))
            }
            var history = RandomHistory(seed: 11, shards: 4)
            for _ in 1...40 { history.take(try await journal.append(history.next())) }
            try note()
            for size in [0, 0, 3000, 0, 30_000, 0, 0, 0] {
                let drafts =
                    size == 0
                    ? history.next() : [Draft(table: Sample.table, [.faulted(String(repeating: "x", count: size))])]
                history.take(try await journal.append(drafts))
                try note()
            }
        }
        return zip(states, states.dropFirst()).map { Commit($0, $1) }
    }

    private func check(_ bytes: [UInt8], _ truths: [Truth], _ what: String) async throws {
        let copy = scratch.path + "/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        try File.write(Array("{}".utf8), to: copy + "/daemon.lock")
        try File.write(bytes, to: copy + "/data.mdb")
        let (refusal, wrong) = try await Truth.judge(copy, by: truths)
        #expect(refusal == nil, "\(what)")
        #expect(wrong == nil, "\(what)")
        try FileManager.default.removeItem(atPath: copy)
    }

    @Test("After a kill at any write of it the journal is as it was before, and goes on from there")
    func killed() async throws {
        for (index, commit) in try await commits().enumerated() {
            #expect(commit.pages.count >= 3)
            // A long transaction is many pages of one event, and one in its midst is like the other.
            for count in 0...commit.pages.count where count < 6 || count > commit.pages.count - 3 {
                let written = commit.pages.prefix(count).map(commit.range)
                try await check(commit.torn(written), [commit.old.truth], "commit \(index), \(count) pages")
            }
        }
    }

    @Test("After a loss of power, whichever sectors of its pages were written, the journal is as it was before")
    func poweredOff() async throws {
        let seed = Seeds.all.last ?? 1
        var random = SeededGenerator(seed: seed)
        for (index, commit) in try await commits().enumerated() {
            for round in 1...3 {
                let sectors = commit.pages.flatMap { page in
                    stride(from: 0, to: Self.pageSize, by: Self.sector).map { place in
                        commit.range(page).lowerBound + place..<commit.range(page).lowerBound + place + Self.sector
                    }
                }
                let written = sectors.filter { _ in Bool.random(using: &random) }
                try await check(
                    commit.torn(written), [commit.old.truth], "commit \(index), round \(round), SHAKE_SEED=\(seed)")
            }
        }
    }

    @Test("A meta page of which any first sectors were written leaves the old journal or the new one, whole")
    func tornMetaPage() async throws {
        for (index, commit) in try await commits().enumerated() {
            let pages = commit.pages.map(commit.range)
            let meta = commit.range(commit.metaPage)
            #expect(Self.metaBytes.upperBound <= Self.sector, "what is written of it lies in one sector")
            #expect(
                commit.torn(
                    pages + [meta.lowerBound + Self.metaBytes.lowerBound..<meta.lowerBound + Self.metaBytes.upperBound])
                    == commit.new.bytes)
            for sectors in [1, 8] {
                let written = meta.lowerBound..<meta.lowerBound + sectors * Self.sector
                try await check(
                    commit.torn(pages + [written]), [commit.new.truth], "commit \(index), \(sectors) sectors")
            }
            try await check(
                commit.torn(pages + [meta.lowerBound + Self.sector..<meta.upperBound]), [commit.old.truth],
                "commit \(index), all but the first sector")
            // No disk does that; but what is written last is the transaction's number, so even so nothing is torn.
            for count in stride(from: 0, through: Self.metaBytes.count, by: 24) {
                let start = meta.lowerBound + Self.metaBytes.lowerBound
                try await check(
                    commit.torn(pages + [start..<start + count]), [commit.old.truth, commit.new.truth],
                    "commit \(index), \(count) bytes")
            }
        }
    }
}
