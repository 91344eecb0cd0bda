internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Simulation

/// Plays the daemon against a simulated DynamoDB in virtual time, one seed after the other.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Play the daemon against a simulated DynamoDB, in virtual time.",
        discussion: """
            Each seed draws a topology, a workload, faults, crashes, restarts and what an operator does; the invariants are \
            checked at every write and after every crash. A seed that fails is printed with what went before; SHAKE_SEED=n \
            plays it again, exactly.
            """)

    @Option(help: "How many seeds to play.")
    var seeds: UInt64 = 1000

    @Option(help: "The first one; SHAKE_SEED is that one alone.")
    var from: UInt64 = 1

    @Option(help: "Begin no new one after that many minutes.")
    var minutes: Double?

    @Flag(help: "End with the first seed that fails.")
    var first = false

    @Flag(help: "Print what happened in each, and not only in those that fail.")
    var trail = false

    func run() throws {
        try Self.makeHashingDeterministic()
        let environment = ProcessInfo.processInfo.environment
        let only = environment["SHAKE_SEED"].flatMap { UInt64($0) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "shake-simulate-\(getpid())").path
        let began = ContinuousClock.now
        var report = Report()
        var isOver = false
        for seed in only.map({ $0..<$0 + 1 }) ?? from..<from + seeds {
            if isOver { break }
            if let minutes, ContinuousClock.now - began > .seconds(minutes * 60) { break }
            let result = Scenario.play(Plan(seed: seed), in: folder)
            report.add(result)
            isOver = first && report.failed > 0
            if trail || only != nil || !result.violations.isEmpty {
                print(Report.text(of: result, isWhole: trail || only != nil))
            }
        }
        print(report.text(after: ContinuousClock.now - began))
        if report.failed > 0 { throw ExitCode(1) }
    }

    /// Without it, the order of a dictionary is another one in each process.
    private static func makeHashingDeterministic() throws {
        let variable = "SWIFT_DETERMINISTIC_HASHING"
        guard ProcessInfo.processInfo.environment[variable] == nil else { return }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = Array(CommandLine.arguments.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging([variable: "1"]) { $1 }
        try process.run()
        process.waitUntilExit()
        throw ExitCode(process.terminationStatus)
    }
}

/// What all seeds together have shown.
private struct Report {
    private(set) var failed = 0
    private var played = 0
    private var jobs = 0
    private var coverage: [String: Int] = [:]

    mutating func add(_ result: Scenario.Result) {
        played += 1
        jobs += result.jobs
        if !result.violations.isEmpty { failed += 1 }
        coverage.merge(result.coverage) { $0 + $1 }
    }

    static func text(of result: Scenario.Result, isWhole: Bool) -> String {
        let head = result.violations.isEmpty ? "seed \(result.plan.seed) holds" : "seed \(result.plan.seed) FAILS"
        let lines = isWhole ? result.trail[...] : result.trail.suffix(25)
        return
            ([head] + result.violations.prefix(5).map { "  \($0)" } + lines.map { "    \($0)" }
            + (result.violations.isEmpty ? [] : ["  again: SHAKE_SEED=\(result.plan.seed) tools/simulate"]))
            .joined(separator: "\n")
    }

    func text(after elapsed: Duration) -> String {
        let rows = coverage.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        return (["covered:"] + rows + ["\(played) seeds in \(elapsed), \(jobs) steps of work, \(failed) failed"])
            .joined(separator: "\n")
    }
}
