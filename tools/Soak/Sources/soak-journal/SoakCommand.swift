internal import ArgumentParser
internal import Foundation
internal import Journal
internal import Soak

/// `tools/soak`.
@main
struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Months of a journal in minutes: a line for each day, and a failure where it does not stop growing.",
        discussion: """
            Appends what a daemon appends for so many shards, by a clock of its own, and folds as the daemon does. From the \
            second day after the history is folded on, or in the second half of the days, the journal may come to hold only what \
            is left of the shards that ended, and only an eighth of its file may be free.
            """)

    @Argument(help: "A folder for the journal, which is made.")
    var path: String

    @Option(help: "Days.")
    var days = 90

    @Option(help: "Shards at a time.")
    var shards = 200

    @Option(help: "Hours that each lives.")
    var life = 4

    @Option(help: "Seconds between two advances of a shard.")
    var interval = 1

    @Option(help: "Seconds whose advances share one transaction.")
    var together = 10

    @Flag(help: "Fold nothing, to see what that does.")
    var noFolding = false

    func run() async throws {
        var load = Soak.Load()
        (load.days, load.shards, load.life, load.interval, load.together) = (days, shards, life, interval, together)
        load.folds = !noFolding
        let began = ContinuousClock.now
        Self.say("day advances folded entries shards file_bytes free_bytes opened_ms held_bytes elapsed_s")
        var soak = Soak(path, load)
        var all: [Soak.Day] = []
        try await soak.run { day in
            all.append(day)
            let elapsed = Self.milliseconds(began.duration(to: .now)) / 1000
            Self.say(
                "\(day.day) \(day.advances) \(day.folded) \(day.facts.entries) \(day.facts.shards) \(day.facts.usedBytes) "
                    + "\(day.facts.freeBytes) \(Self.milliseconds(day.opened)) \(day.heldBytes) \(elapsed)")
        }
        let verifying = ContinuousClock.now
        let report = try soak.verify()
        Self.say(
            "verified in \(Self.milliseconds(verifying.duration(to: .now)) / 1000) s: \(report.events) events and "
                + "\(report.folded) folded ones, \(report.shards) shards")
        let growth = Growth(all, load)
        Self.say(growth.text)
        guard growth.isBounded else { throw ExitCode(1) }
    }

    /// A line at a time, also into a file: a run takes long.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
