import Foundation
import Testing

@testable import Journal
@testable import Soak

/// Weeks of a journal, by events and pages and by no clock: `tools/soak` has months of it.
@Suite("A journal over weeks")
struct SoakTests {
    private static func run(_ load: Soak.Load) async throws -> (days: [Soak.Day], report: VerifyReport) {
        let folder = NSTemporaryDirectory() + "/shake-soak-\(UUID().uuidString.prefix(13))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var soak = Soak(folder, load)
        var days: [Soak.Day] = []
        try await soak.run { days.append($0) }
        return (days, try soak.verify())
    }

    private static var load: Soak.Load {
        var load = Soak.Load()
        (load.days, load.shards, load.interval, load.together) = (16, 6, 300, 3600)
        return load
    }

    @Test("Under steady load the log stops growing, but for what is left of each shard that ended")
    func bounded() async throws {
        let (days, report) = try await Self.run(Self.load)
        let growth = Growth(days, Self.load)
        let added = try #require(growth.added)
        #expect(added.days == 7)
        #expect(growth.isBounded, "\(growth.text)")
        #expect(added.finished == 7 * 6 * 6)
        #expect(report.folded == days.last?.folded)
        #expect(report.lastPosition.number > 27_000)
        // 48 hours of advances, and of each shard of a week what is no advance and one advance an hour.
        let last = try #require(days.last)
        #expect(last.facts.entries < 2 * 6 * 288 + 7 * 6 * 6 * 16 + added.finished * Growth.mostEntries + 1000)
        #expect(last.facts.shards == last.finished + 6)
    }

    @Test("Without folding the same load is not within the bounds, so they can be missed")
    func unbounded() async throws {
        var load = Self.load
        load.folds = false
        #expect(!Growth(try await Self.run(load).days, load).isBounded)
    }

    @Test("Room that is free in the file is bounded by itself, as a share of it", arguments: [(1 << 20, true), (5 << 20, false)])
    func free(bytes: Int, isBounded: Bool) {
        let days = (1...16).map { day in
            Soak.Day(
                day: day,
                facts: JournalFacts(
                    lastPosition: .origin, entries: 100, shards: 7, usedBytes: (30 << 20) + bytes, freeBytes: bytes),
                finished: day * 36, advances: 0, folded: 0, opened: .zero, heldBytes: 0)
        }
        let growth = Growth(days, Self.load)
        #expect(growth.added?.bytes == 0)
        #expect(growth.isBounded == isBounded, "\(growth.text)")
    }
}
