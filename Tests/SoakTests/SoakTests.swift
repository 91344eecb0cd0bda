import Foundation
import Journal
import Soak
import Testing

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
        #expect(growth.days == 7)
        #expect(growth.isBounded, "\(growth.text)")
        #expect(growth.finished == 7 * 6 * 6)
        #expect(report.folded == days.last?.folded)
        #expect(report.lastPosition.number > 27_000)
        // 48 hours of advances, and of each shard of a week what is no advance and one advance an hour.
        let last = try #require(days.last)
        #expect(last.facts.entries < 2 * 6 * 288 + 7 * 6 * 6 * 16 + growth.finished * Growth.mostEntries + 1000)
        #expect(last.facts.shards == last.finished + 6)
    }

    @Test("Without folding the same load is not within the bounds, so they can be missed")
    func unbounded() async throws {
        var load = Self.load
        load.folds = false
        #expect(!Growth(try await Self.run(load).days, load).isBounded)
    }
}
