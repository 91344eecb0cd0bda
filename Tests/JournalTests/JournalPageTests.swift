import Foundation
import Glibc
import StreamModel
import TestSupport
import Testing

@testable import Journal

/// Every page of a journal's file is damaged in every way that a disk, a copy or a hand may do it. What is opened for writing
/// afterwards is whole, and says a durable prefix of what happened; or nothing is opened, and nothing written.
@Suite("A data file that is damaged at a page")
struct JournalPageTests {
    private let scratch = Scratch()

    /// Of the file that the tests damage, in bytes.
    private static let pageSize = 4096

    enum Damage: String, Codable, CaseIterable, Sendable {
        /// The file ends before the page, or within it.
        case cutBefore, cutWithin
        case zeroed, otherPage
        /// The page as it was in an older copy of this file: after the transaction before the last one, and long ago.
        case before, longBefore
        /// Half of the page is from then: a write that was torn.
        case torn
        case flippedBit, flippedBits
    }

    /// What the damaged copies are made from.
    private struct Plan: Codable, Sendable {
        let folder: String
        let seed: UInt64
        let damage: Damage
    }

    @Test("Each is refused, or leaves a durable prefix that can be appended to", arguments: Damage.allCases)
    func everyPage(damage: Damage) async throws {
        let seed = Seeds.all.last ?? 1
        let whole = scratch.path + "/whole"
        try await Journal.use(whole) { journal in
            var history = RandomHistory(seed: 5, shards: 5)
            for round in 1...150 {
                history.take(try await journal.append(history.next()))
                if round == 100 { try scratch.copy(whole + "/data.mdb", to: scratch.path + "/long-before") }
            }
            try scratch.copy(whole + "/data.mdb", to: scratch.path + "/before")
        }
        let plan = Plan(folder: scratch.path, seed: seed, damage: damage)
        let (progress, phase) = (scratch.path + "/progress", scratch.path + "/phase")
        // Each process ends at the first page whose damage is met within LMDB, and the next one goes on behind it.
        repeat {
            try File.write([], to: phase)
            await #expect(processExitsWith: .exitCode(65), "\(damage), SHAKE_SEED=\(seed), page \(File.text(progress))")
            {
                [plan = plan as Plan] in
                try await JournalPageTests.goOn(with: plan)
            }
            let found = File.text(phase)
            guard found == "opening" || found == "finished" else {
                Issue.record("\(damage), SHAKE_SEED=\(seed), page \(File.text(progress)): \(found)")
                return
            }
        } while File.text(phase) != "finished"
    }

    private static func goOn(with plan: Plan) async throws {
        let (progress, phase) = (plan.folder + "/progress", plan.folder + "/phase")
        func note(_ text: String) throws { try File.write(Array(text.utf8), to: phase) }
        let reader = try Journal.open(plan.folder + "/whole", .reader)
        let truth = try Truth(reader)
        // A newest meta page that is lost leaves the transaction before it: there the run had not yet ended.
        let truths = [
            truth, Truth(events: truth.events.dropLast(), checkpoints: truth.checkpoints, tables: truth.tables),
        ]
        let whole = try File.bytes(plan.folder + "/whole/data.mdb")
        let before = try File.bytes(plan.folder + "/before")
        let longBefore = try File.bytes(plan.folder + "/long-before")
        var random = SeededGenerator(seed: plan.seed)
        let begun = Int(File.text(progress)) ?? -1
        for page in 0..<whole.count / pageSize {
            let bytes = damaged(
                whole, page, plan.damage, before: before, longBefore: longBefore, using: &random)
            guard page > begun, let bytes else { continue }
            try File.write(Array("\(page)".utf8), to: progress)
            let copy = "\(plan.folder)/copy\(page)"
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
            try File.write(Array("{}".utf8), to: copy + "/daemon.lock")
            try File.write(bytes, to: copy + "/data.mdb")
            alarm(60)
            try note("opening")
            let (refusal, wrong) = try await Truth.judge(copy, by: truths) {
                try note("it was open when a page was met that can't be read")
            }
            if let wrong { return try fail(wrong, phase) }
            if let refusal {
                switch refusal {
                case .damaged(copy, _, _) where refusal.exitCode == 65: break
                // A bit of the format's one digit may make it another version's.
                case .newerFormat(copy, let found, _) where UInt(found).map({ $0 != 1 }) == true: break
                default: return try fail("refused with \(refusal)", phase)
                }
                guard try File.bytes(copy + "/data.mdb") == bytes else {
                    return try fail("it was refused, and changed: \(refusal)", phase)
                }
            }
            try FileManager.default.removeItem(atPath: copy)
        }
        try note("finished")
        exit(65)
    }

    private static func fail(_ wrong: String, _ phase: String) throws {
        try File.write(Array(wrong.utf8), to: phase)
        exit(65)
    }

    /// `nil` where the page would stay as it is.
    private static func damaged(
        _ whole: [UInt8], _ page: Int, _ damage: Damage, before: [UInt8], longBefore: [UInt8],
        using random: inout SeededGenerator
    ) -> [UInt8]? {
        let range = page * pageSize..<(page + 1) * pageSize
        var bytes = whole
        func piece(_ other: [UInt8]) -> [UInt8] { range.upperBound <= other.count ? Array(other[range]) : [] }
        switch damage {
        case .cutBefore: bytes.removeSubrange(range.lowerBound...)
        case .cutWithin: bytes.removeSubrange((range.lowerBound + Int.random(in: 1..<pageSize, using: &random))...)
        case .zeroed: bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: pageSize))
        case .otherPage:
            let other = Int.random(in: 0..<whole.count / pageSize, using: &random) * pageSize
            bytes.replaceSubrange(range, with: whole[other..<other + pageSize])
        case .before, .longBefore:
            let old = piece(damage == .before ? before : longBefore)
            if !old.isEmpty { bytes.replaceSubrange(range, with: old) }
        case .torn:
            let old = piece(before)
            let sectors = Int.random(in: 1...7, using: &random) * 512
            if !old.isEmpty {
                bytes.replaceSubrange(range.lowerBound + sectors..<range.upperBound, with: old[sectors...])
            }
        case .flippedBit, .flippedBits:
            for _ in 1...(damage == .flippedBit ? 1 : 3) {
                // Most of a page may be empty space; what is not is where damage shows.
                var place = Int.random(in: range, using: &random)
                for _ in 1...20 where bytes[place] == 0 { place = Int.random(in: range, using: &random) }
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes == whole ? nil : bytes
    }
}

extension Truth {
    fileprivate init(events: [Event], checkpoints: [Checkpoint], tables: [TableState]) {
        self.events = events
        self.checkpoints = checkpoints
        self.tables = tables
    }
}
