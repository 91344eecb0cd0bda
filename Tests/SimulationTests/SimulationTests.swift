import Foundation
import Simulation
import Testing

/// The daemon in virtual time, against a simulated service and a target that fails. `tools/test` plays a thousand
/// seeds with `tools/simulate`; these few say early that something is wrong.
@Suite("The simulation", .serialized)
struct SimulationTests {
    /// On a thread of its own: a run gives nothing back until it is over, and the other tests want theirs.
    private static func play(_ seed: UInt64, in folder: String = folder()) async -> Scenario.Result {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Scenario.play(Plan(seed: seed), in: folder, tells: true)) }.start()
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
