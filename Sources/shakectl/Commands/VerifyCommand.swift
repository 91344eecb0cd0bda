internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove that the journal is whole: the chain of hashes, the fold, the index.",
        discussion: """
            Reads every event, folds the log again and compares the result with the state that is kept beside it. It \
            may run beside the daemon. Damage is exit code 65 and names the first position that does not hold.

            Examples:
              shakectl verify
              shakectl verify --json     {"ok":true,"events":…,"folded":…,"shards":…,"last_position":…}
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        if common.json {
            let view = VerifyView.damaged(position: nil, problem: "a page of data.mdb can't be read")
            Journal.say(onDamage: view.json.line + "\n")
        }
        do {
            let journal = try Journal.open(context.configuration.journal, .reader)
            let report = try verify(journal)
            let view = VerifyView.sound(
                events: report.events, folded: report.folded, shards: report.shards, lastPosition: report.lastPosition)
            try context.show(json: [view.json], lines: view.lines(context.palette))
        } catch let error as JournalError {
            let view: VerifyView? =
                switch error {
                case .damaged(_, let position, let problem): .damaged(position: position, problem: problem)
                case .notAJournal(_, let why): .damaged(position: nil, problem: why)
                default: nil
                }
            if let view { try context.show(json: [view.json], lines: view.lines(context.palette)) }
            throw ShakectlError.journal(error)
        }
    }

    private func verify(_ journal: Journal) throws -> VerifyReport {
        let last = try journal.lastPosition()
        let screen = StandardError.shared
        defer { screen.progress(nil) }
        var percent: UInt64 = 101
        return try journal.verify { position in
            let now = last.number == 0 ? 100 : min(100, position.number * 100 / last.number)
            guard now != percent else { return }
            percent = now
            screen.progress("verify: \(now) %, position \(Spoken.count(position.number))")
        }
    }
}
