internal import Foundation
internal import Simulation

/// What all seeds together have shown.
struct Report {
    /// What came of one.
    struct Line: Codable {
        let seed: UInt64
        let violations: [String]
        /// Of the first; `nil` where none is known, since the process trapped.
        let kind: String?
        let coverage: [String: Int]
        let jobs: Int

        init(_ result: Scenario.Result) {
            seed = result.plan.seed
            violations = result.violations.map(\.description)
            kind = result.violations.first?.kind.rawValue
            coverage = result.coverage
            jobs = result.jobs
        }

        init(trappedAt seed: UInt64, _ status: Int32) {
            self.seed = seed
            violations = ["the process trapped, with status \(status)"]
            kind = nil
            coverage = [:]
            jobs = 0
        }
    }

    private(set) var failed: [Line] = []
    private(set) var played = 0
    private var jobs = 0
    private var coverage: [String: Int] = [:]

    mutating func add(_ line: Line) {
        played += 1
        jobs += line.jobs
        if !line.violations.isEmpty { failed.append(line) }
        coverage.merge(line.coverage) { $0 + $1 }
    }

    /// What is wrong with what was covered; a few seeds can't cover all of it.
    var complaints: [String] { Catalogue.complaints(coverage, seeds: played) }

    func text(after elapsed: Duration) -> String {
        var lines = ["covered:"]
        var area: Substring = ""
        for row in Catalogue.rows(coverage) {
            let parts = row.name.split(separator: ": ", maxSplits: 1)
            if parts[0] != area {
                area = parts[0]
                lines.append("  \(area)")
            }
            let count = String(row.count)
            lines.append("    \(String(repeating: " ", count: max(0, 9 - count.count)))\(count)  \(parts.last ?? "")")
        }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        let rate = String(format: "%.1f", Double(played) / max(seconds, 0.001))
        lines.append(
            "\(played) seeds in \(String(format: "%.1f", seconds)) s, \(rate) a second, \(jobs) steps of work, "
                + "\(failed.count) failed")
        return lines.joined(separator: "\n")
    }
}
