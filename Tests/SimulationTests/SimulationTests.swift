import Dispatcher
import Foundation
import Simulation
import Testing

/// The daemon in virtual time, against a simulated service and a target that fails. `tools/test` plays a thousand
/// seeds with `tools/simulate`; these few say early that something is wrong.
@Suite("The simulation", .serialized)
struct SimulationTests {
    /// On a thread of its own: a run gives nothing back until it is over, and the other tests want theirs.
    private static func play(_ seed: UInt64, in folder: String = folder()) async -> Scenario.Result {
        await play(Plan(seed: seed), in: folder)
    }

    private static func play(_ plan: Plan, in folder: String = folder()) async -> Scenario.Result {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Scenario.play(plan, in: folder, tells: true)) }.start()
        }
    }

    private static func folder() -> String {
        FileManager.default.temporaryDirectory.appending(path: "shake-simulation-\(UUID())").path
    }

    @Test("Nothing is lost, reordered or claimed too early, whatever a seed draws", arguments: seeds)
    func invariants(seed: UInt64) async {
        let result = await Self.play(seed)
        #expect(
            result.violations.isEmpty,
            "SHAKE_SEED=\(seed) tools/simulate plays it again:\n\(result.trail.suffix(20).joined(separator: "\n"))")
    }

    /// PEERS row 25.
    @Test(
        "A scan of more than a day, with writes, splits and trims beside it, ends equal and loses nothing",
        arguments: [1, 2] as [UInt64])
    func longScan(seed: UInt64) async {
        var plan = Plan(seed: seed)
        (plan.mode, plan.tables, plan.shards, plan.target) = (.all, 1, 2, .plain)
        (plan.items, plan.keys, plan.scanPage, plan.scanPace) = (40, 80, 1, .seconds(6 * 3600))
        (plan.splits, plan.expiries, plan.idles, plan.switchesStreams) = (true, true, false, false)
        (plan.pauses, plan.rewinds, plan.outages, plan.poison, plan.lead) = (false, false, false, 0, .zero)
        (plan.pausesReading, plan.resyncs, plan.filtered, plan.finds) = (false, false, 0, false)
        // A token that expires twice in a row ends the daemon, and nothing begins it again here.
        (plan.faults, plan.troubles) = (0, 10)
        (plan.pace, plan.maximumPoll, plan.discovery) = (.seconds(3 * 3600), .seconds(300), .seconds(1800))
        plan.lives = [
            Plan.LifePlan(steps: nil, duration: .seconds(20 * 3600), downtime: .seconds(60), restored: nil),
            Plan.LifePlan(steps: nil, duration: .seconds(30 * 3600), downtime: .seconds(60), restored: nil),
        ]
        let result = await Self.play(plan)
        #expect(result.violations.isEmpty, "\(result.trail.suffix(20).joined(separator: "\n"))")
        #expect(result.coverage["scan: of more than a day"] == 1)
        #expect(result.coverage["scan: rows are left out", default: 0] > 0)
        #expect(result.coverage["source: split", default: 0] > 0)
        #expect(result.coverage["event: range_lost"] == nil)
    }

    @Test("A run is the same whether anybody reads its trail or not", .enabled(if: isOrdered), arguments: [3, 8])
    func quiet(seed: UInt64) async {
        let told = await Self.play(seed)
        let quiet = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Scenario.play(Plan(seed: seed), in: Self.folder())) }.start()
        }
        #expect(quiet.trail.isEmpty)
        #expect(quiet.jobs == told.jobs)
        #expect(quiet.coverage == told.coverage)
    }

    @Test(
        "The same seed plays the same run again, step by step",
        .enabled(if: isOrdered, "dictionaries have another order each time without SWIFT_DETERMINISTIC_HASHING=1"),
        arguments: [7, 21, 34])
    func repeats(seed: UInt64) async {
        let folder = Self.folder()
        let first = await Self.play(seed, in: folder)
        let second = await Self.play(seed, in: folder)
        #expect(first.trail == second.trail)
        #expect(first.jobs == second.jobs)
        #expect(!first.trail.isEmpty)
    }

    private static let isOrdered = ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] == "1"

    private static var seeds: [UInt64] {
        if let seed = ProcessInfo.processInfo.environment["SHAKE_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...10)
    }
}
