internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Simulation
internal import Synchronization

/// Plays the daemon against a simulated DynamoDB in virtual time, one seed after the other.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Play the daemon against a simulated DynamoDB, in virtual time.",
        discussion: """
            Each seed draws a topology, a workload, faults, crashes, restarts and what an operator does; the invariants are \
            checked at every write and after every crash. A seed that fails is printed with what went before, and made \
            smaller: SHAKE_SEED=n plays it again, exactly, and SHAKE_PLAN='…' its smaller plan. At the end stands how often \
            everything in the catalogue was met; with 1,000 seeds or more, what never was is a failure.
            """)

    @Option(help: "How many seeds to play.")
    var seeds: UInt64 = 1000

    @Option(help: "The first one; SHAKE_SEED is that one alone.")
    var from: UInt64 = 1

    @Option(help: "Begin no new one after that many minutes.")
    var minutes: Double?

    @Option(help: "Processes that play at a time.")
    var jobs: Int = 1

    @Flag(help: "End with the first seed that fails.")
    var first = false

    @Flag(help: "Print what happened in each, and not only in those that fail.")
    var trail = false

    @Flag(inversion: .prefixedNo, help: "Make the first plan that fails smaller.")
    var shrink = true

    @Option(
        help:
            "Instead: follow one table through so many generations of shards; fails where each leaves too much for ever."
    )
    var generations: Int?

    @Option(help: "With --generations: how long each shard is open, in seconds.")
    var life = Int(LongRun.life / .seconds(1))

    @Flag(help: .private)
    var worker = false

    @Option(help: .private)
    var stride: UInt64 = 1

    func run() throws {
        try Self.makeHashingDeterministic()
        let environment = ProcessInfo.processInfo.environment
        if let text = environment["SHAKE_PLAN"] { return try play(Self.plan(text), isShrunk: false) }
        if let text = environment["SHAKE_SEED"] {
            guard let seed = UInt64(text) else { throw ValidationError("SHAKE_SEED is no number: \(text)") }
            return try play(Plan(seed: seed), isShrunk: shrink)
        }
        if worker { return try work() }
        if let generations { return try live(for: generations) }

        let began = ContinuousClock.now
        var report = Report()
        if jobs > 1 {
            try Crew(self).run(&report)
        } else {
            var progress = Progress(of: seeds)
            for seed in from..<from + seeds {
                if let minutes, ContinuousClock.now - began > .seconds(minutes * 60) { break }
                let line = Report.Line(Scenario.play(Plan(seed: seed), in: Self.folder()))
                report.add(line)
                progress.show(report, after: line)
                if first, report.failed.count > 0 { break }
            }
            progress.end()
        }
        let failed = report.failed.sorted { $0.seed < $1.seed }
        for (index, line) in failed.enumerated() {
            print("seed \(line.seed) FAILS")
            for violation in line.violations.prefix(5) { print("  \(violation)") }
            // What it is about is seen from the first; another may trap, and takes a process with it.
            if index == 0, line.kind != nil { tell(Plan(seed: line.seed), isWhole: false, isShrunk: shrink) }
            print("  again: SHAKE_SEED=\(line.seed) tools/simulate")
        }
        let complaints = report.complaints
        print(report.text(after: ContinuousClock.now - began))
        for complaint in complaints { print("coverage: \(complaint)") }
        let isComplete = complaints.isEmpty || report.played < 1000
        if !report.failed.isEmpty || !isComplete { throw ExitCode(1) }
    }

    // MARK: - One plan

    private func play(_ plan: Plan, isShrunk: Bool) throws {
        if !tell(plan, isWhole: true, isShrunk: isShrunk) { throw ExitCode(1) }
    }

    /// - Returns: whether it holds.
    @discardableResult
    private func tell(_ plan: Plan, isWhole: Bool, isShrunk: Bool) -> Bool {
        let result = Scenario.play(plan, in: Self.folder(), tells: true)
        for line in isWhole ? result.trail[...] : result.trail.suffix(25) { print("    \(line)") }
        guard let kind = result.violations.first?.kind else {
            if isWhole { print("seed \(plan.seed) holds") }
            return true
        }
        if isWhole {
            print("seed \(plan.seed) FAILS")
            for violation in result.violations.prefix(5) { print("  \(violation)") }
        }
        guard isShrunk else { return false }
        var shrinker = Shrinker(plan, taking: result.jobs, failingWith: kind)
        shrinker.run { plan in
            let played = Scenario.play(plan, in: Self.folder())
            return (played.violations.first?.kind, played.jobs)
        }
        print(
            "  made smaller in \(shrinker.tries) tries, from \(result.jobs) steps of work to \(shrinker.steps); "
                + "it still shows \"\(kind.rawValue)\":")
        print("  SHAKE_PLAN='\(Self.text(shrinker.plan))' tools/simulate")
        return false
    }

    private static func plan(_ text: String) throws -> Plan {
        do {
            return try JSONDecoder().decode(Plan.self, from: Data(text.utf8))
        } catch {
            throw ValidationError("SHAKE_PLAN is no plan: \(error)")
        }
    }

    private static func text(_ plan: Plan) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(plan)).map { String(decoding: $0, as: UTF8.self) } ?? "\(plan)"
    }

    // MARK: - One table, for years

    private func live(for generations: Int) throws {
        print("generations  virtual days  resident KiB  heap KiB  journal KiB  seconds")
        let samples = Mutex<[LongRun.Sample]>([])
        let unfollowed = Mutex<[LongRun.Sample]>([])
        _ = LongRun.play(generations: generations, life: .seconds(life), isFollowed: false, in: Self.folder()) {
            sample in
            unfollowed.withLock { $0.append(sample) }
        }
        let began = ContinuousClock.now
        let violations = LongRun.play(
            generations: generations, life: .seconds(life), isFollowed: true, in: Self.folder()
        ) { sample in
            samples.withLock { $0.append(sample) }
            let columns = [
                sample.generations, Int(sample.virtualTime / .seconds(86_400)), sample.residentBytes >> 10,
                sample.heapBytes >> 10, sample.journalBytes >> 10, Int((ContinuousClock.now - began) / .seconds(1)),
            ]
            print(
                zip(columns, [11, 14, 14, 10, 13, 9]).map { number, width in
                    String(repeating: " ", count: max(1, width - "\(number)".count)) + "\(number)"
                }.joined())
        }
        var failures = violations.map { "\($0)" }
        if let growth = LongRun.Growth(samples.withLock { $0 }, without: unfollowed.withLock { $0 }) {
            print(
                "each of the last \(growth.generations) shards left \(growth.heapBytes) bytes of heap (at most "
                    + "\(LongRun.heapBound)) and \(growth.journalBytes) bytes of the journal (at most \(LongRun.journalBound)); "
                    + "\((ContinuousClock.now - began) / .seconds(1)) s")
            failures += growth.complaints
        } else {
            print("too few generations to say what each leaves: it takes 4000 to see what goes once it is old")
        }
        for failure in failures { print("FAILS: \(failure)") }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    // MARK: - Many

    /// Plays every `stride`th seed, and says of each what came of it, one line of JSON on standard output.
    private func work() throws {
        let began = ContinuousClock.now
        for seed in Swift.stride(from: from, to: from + seeds, by: Int(stride)) {
            if let minutes, ContinuousClock.now - began > .seconds(minutes * 60) { break }
            // Said before it is played: a trap would say nothing.
            say("\(seed)")
            let line = Report.Line(Scenario.play(Plan(seed: seed), in: Self.folder()))
            say(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
        }
    }

    private func say(_ line: String) {
        let bytes = Data((line + "\n").utf8)
        FileHandle.standardOutput.write(bytes)
    }

    private static let folders = Mutex(0)

    /// In memory, where there is such a place: the journal syncs each append.
    /// One for each run: what a run that has no end still holds is not given to the next.
    private static func folder() -> String {
        folders.withLock { $0 += 1 }
        let memory = "/dev/shm"
        let isThere = FileManager.default.isWritableFile(atPath: memory)
        let parent = isThere ? URL(filePath: memory) : FileManager.default.temporaryDirectory
        return parent.appending(path: "shake-simulate-\(getpid())-\(folders.withLock { $0 })").path
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
