import Foundation
import Glibc
import StreamModel
import TestSupport
import Testing

@testable import Journal

/// LMDB has no checksums of its own, and trusts its pages. So a damaged file is opened in a process of its own: it may be
/// refused with status 65 from anywhere, also from within LMDB, or be read rightly. It may not be read wrongly, end by a
/// signal, or not end.
@Suite("A damaged data file")
struct JournalDamageTests {
    private let scratch = Scratch()

    /// What one damaged copy is made from: `case` bits flipped, one each; the rest cut short.
    struct Plan: Codable, Sendable {
        let folder: String
        let seed: UInt64
        let flips: Int
        let cuts: Int
        let writes: Bool
    }

    /// Of the second of a meta page's two trees, the list of tables (mdb.c, MDB_meta: 16 + 24 + 48 bytes, then pad, flags and depth).
    private static let branchPages = 96

    @Test("Numbers of pages that no file could have are refused, and add up to no trap")
    func manyPages() async throws {
        try await Journal.use(scratch.path + "/whole") { journal in
            var history = RandomHistory(seed: 5, shards: 4)
            for _ in 1...10 { history.take(try await journal.append(history.next())) }
        }
        let data = scratch.path + "/whole/data.mdb"
        var bytes = try File.bytes(data)
        for meta in [0, 4096] {
            bytes.replaceSubrange(
                meta + Self.branchPages..<meta + Self.branchPages + 8, with: [UInt8](repeating: 0xFF, count: 8))
        }
        try File.write(bytes, to: data)
        let error = failure { () throws(JournalError) in
            _ = try Journal.open(scratch.path + "/whole", .reader).verified()
        }
        #expect(error?.exitCode == 65)
    }

    @Test(
        "A flipped bit or a cut is refused or harmless",
        arguments: Seeds.and(13_709_165_585_138_501_441, 12_750_935_448_418_050_511), [false, true])
    func damaged(seed: UInt64, writes: Bool) async throws {
        try await Journal.use(scratch.path + "/whole") { journal in
            var history = RandomHistory(seed: 5, shards: 4)
            for _ in 1...60 { history.take(try await journal.append(history.next())) }
        }
        let plan = Plan(folder: scratch.path, seed: seed, flips: 120, cuts: 20, writes: writes)
        let progress = scratch.path + "/progress"
        // Each process ends at the first case that is refused from within LMDB, and the next one goes on behind it.
        repeat {
            try File.write([], to: scratch.path + "/wrong")
            await #expect(
                processExitsWith: .exitCode(65),
                "SHAKE_SEED=\(seed), after case \(File.text(progress))"
            ) { [plan = plan as Plan] in
                try await JournalDamageTests.goOn(with: plan)
            }
            let wrong = File.text(scratch.path + "/wrong")
            #expect(wrong == "", "SHAKE_SEED=\(seed), case \(File.text(progress)): \(wrong)")
            guard wrong.isEmpty, File.text(scratch.path + "/stopped").isEmpty else { return }
        } while File.text(progress) != "finished"
    }

    private static func goOn(with plan: Plan) async throws {
        let progress = plan.folder + "/progress"
        let expected = try await Truth(plan.folder + "/whole")
        let whole = try File.bytes(plan.folder + "/whole/data.mdb")
        var random = SeededGenerator(seed: plan.seed)
        let begun = Int(File.text(progress)) ?? -1
        try File.write(Array("died".utf8), to: plan.folder + "/stopped")
        for index in 0..<(plan.flips + plan.cuts) {
            var bytes = whole
            if index < plan.flips {
                // Most of a file is empty space; what is not is where damage shows.
                var place = Int.random(in: 0..<bytes.count, using: &random)
                while bytes[place] == 0, Int.random(in: 0..<10, using: &random) > 0 {
                    place =
                        index % 8 == 0
                        ? Int.random(in: 0..<8192, using: &random) : Int.random(in: 0..<bytes.count, using: &random)
                }
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            } else {
                bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            }
            guard index > begun else { continue }
            try File.write(Array("\(index)".utf8), to: progress)
            let copy = "\(plan.folder)/copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
            try File.write(Array("{}".utf8), to: copy + "/daemon.lock")
            try File.write(bytes, to: copy + "/data.mdb")
            alarm(20)
            // A refusal from within LMDB ends the process here, with status 65.
            try File.write([], to: plan.folder + "/stopped")
            let wrong = await expected.compare(with: copy, writes: plan.writes)
            try File.write(Array("died".utf8), to: plan.folder + "/stopped")
            if let wrong {
                try File.write(Array(wrong.utf8), to: plan.folder + "/wrong")
                exit(65)
            }
        }
        try File.write(Array("finished".utf8), to: progress)
        try File.write([], to: plan.folder + "/stopped")
        exit(65)
    }

    /// What the whole journal says.
    private struct Truth {
        let events: [Event]
        let checkpoints: [Checkpoint]
        /// As they were before the last transaction, which is what a broken newest meta page leads back to.
        let before: [Checkpoint]
        let histories: [ShardKey: [Event]]

        init(_ path: String) async throws {
            let journal = try Journal.open(path, .reader)
            let events = try journal.everything()
            self.events = events
            checkpoints = try journal.checkpoints()
            let last = events[events.count - 2].position  // the last transaction was run_stopped
            before = try checkpoints.compactMap { try journal.checkpoint(of: $0.shard, at: last) }
            histories = try Dictionary(
                uniqueKeysWithValues: checkpoints.map { ($0.shard, try journal.history(of: $0.shard, HistoryQuery())) })
        }

        /// `nil` where each question was refused or answered rightly.
        func compare(with path: String, writes: Bool) async -> String? {
            let journal: Journal
            do throws(JournalError) {
                journal = try Journal.open(path, writes ? .daemon(Sample.daemon) : .reader, mapSize: 16 << 20)
            } catch {
                return refused(error)
            }
            var wrong: [String?] = []
            if writes {
                wrong.append(
                    await ask { () throws(JournalError) in
                        _ = try await journal.append([Draft(table: Sample.table, [.faulted()])])
                        return true
                    })
                await journal.close(reason: "compared")
            }
            wrong.append(await ask { () throws(JournalError) in isRight(try journal.everything(), writes) })
            wrong.append(
                await ask { () throws(JournalError) in [checkpoints, before].contains(try journal.checkpoints()) })
            for (shard, events) in histories {
                wrong.append(
                    await ask { () throws(JournalError) in try journal.history(of: shard, HistoryQuery()) == events })
                wrong.append(
                    await ask { () throws(JournalError) in
                        try journal.history(of: shard, HistoryQuery(newestFirst: true)) == events.reversed()
                    })
            }
            wrong.append(await ask { () throws(JournalError) in try journal.verified().events + 1 >= events.count })
            let found = wrong.compactMap { $0 }
            return found.isEmpty ? nil : found.joined(separator: "; ")
        }

        private func isRight(_ found: [Event], _ writes: Bool) -> Bool {
            // The newest meta page lost: one transaction less, and nothing tells (docs/JOURNAL-FORMAT.md).
            let known = found.prefix(events.count)
            return (known.elementsEqual(events) || found.prefix(events.count - 1).elementsEqual(events.dropLast()))
                && (writes || found.count <= events.count)
        }

        private func ask(_ question: () async throws(JournalError) -> Bool) async -> String? {
            do throws(JournalError) { return try await question() ? nil : "a wrong answer" } catch {
                return refused(error)
            }
        }

        private func refused(_ error: JournalError) -> String? {
            error.exitCode == 65 && error != .refused(Refusal.none) ? nil : "\(error) (exit code \(error.exitCode))"
        }
    }
}

extension Refusal {
    fileprivate static let none = Refusal(shard: Sample.key(0), revision: .none, attempted: .none, kind: "", rule: "")
}
