import Foundation
import Simulation
import Testing

/// The daemon in virtual time, against a simulated service and a target that fails. `tools/simulate` plays as many seeds as
/// one likes.
@Suite("The simulation")
struct SimulationTests {
    private static func play(_ seed: UInt64) -> Scenario.Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shake-simulation-\(UUID())").path
        return Scenario.play(Plan(seed: seed), in: folder)
    }

    @Test("Nothing is lost, reordered or claimed too early, whatever a seed draws", arguments: seeds)
    func invariants(seed: UInt64) {
        let result = Self.play(seed)
        #expect(
            result.violations.isEmpty,
            "SHAKE_SEED=\(seed) tools/simulate plays it again:\n\(result.trail.suffix(20).joined(separator: "\n"))")
    }

    /// The order of a dictionary, which nothing may depend on but the order of calls, is the same within one process.
    @Test("The same seed plays the same run again, step by step")
    func repeats() {
        let (first, second) = (Self.play(7), Self.play(7))
        #expect(first.jobs == second.jobs)
        #expect(first.coverage == second.coverage)
        #expect(!first.trail.isEmpty)
    }

    private static var seeds: [UInt64] {
        if let seed = ProcessInfo.processInfo.environment["SHAKE_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...40)
    }
}
