internal import ArgumentParser
internal import Foundation
internal import Journal
internal import StreamModel

/// What every command begins with: its configuration, and where its output goes.
struct CommandContext {
    let configuration: Configuration
    let palette: Palette
    let output = StandardOutput()
    let now = Timestamp.now()
    let options: CommonOptions
    /// The options that say to another command which journal this one is about.
    let place: [String]
    var surroundings: Surroundings

    /// - Throws: `.usage`, `.configuration`.
    init(
        _ options: CommonOptions, of command: String = "run",
        _ add: (inout Settings) throws(ShakectlError) -> Void = { _ in }
    ) throws(ShakectlError) {
        var flags = Settings()
        try options.add(to: &flags)
        try add(&flags)
        let environment = ProcessInfo.processInfo.environment
        self.options = options
        place = options.place(environment)
        surroundings = try CrashHook.surroundings(environment)
        configuration = try Configuration(
            command: command, flags: flags, file: options.config, environment: environment, read: TextFile.read)
        palette = options.json ? .plain : Palette(descriptor: 1, environment: environment)
    }

    /// - Throws: `.journal`.
    func openJournal(_ access: Journal.Access = .reader) throws(ShakectlError) -> Journal {
        do { return try Journal.open(configuration.journal, access, surroundings: surroundings) } catch {
            throw .journal(error)
        }
    }

    /// Writes a view as the operator asked for it.
    ///
    /// - Throws: `.output`, `.outputClosed`.
    func show(json: @autoclosure () -> [JSON], lines: @autoclosure () -> [String]) throws(ShakectlError) {
        if options.json {
            for value in json() { try output.line(value.line) }
        } else {
            try output.lines(lines())
        }
        try output.flush()
    }
}

/// Asks the journal, and says its errors as this program's.
func asking<Answer>(_ question: () throws(JournalError) -> Answer) throws(ShakectlError) -> Answer {
    do { return try question() } catch { throw .journal(error) }
}
