internal import Dispatcher
internal import Journal
internal import Targets

/// What `backup`, `restore`, `import` and `compact --copy` have in common: a journal is written, and verified where it was
/// written.
enum Copying {
    /// Beside the journal's own: they are only added to, and events name places in them.
    static let files = [DeadLetterFile.name]

    /// Has a journal written, and says what was made, with what comes next.
    ///
    /// - Parameter copy: writes it; what it tells a terminal of its progress is taken away in the end.
    static func run(
        _ context: CommandContext, to path: String, deed: String, advice: String, _ copy: () throws -> CopyReport
    ) throws {
        let screen = StandardError.shared
        defer { screen.progress(nil) }
        let report = try copy()
        screen.progress(nil)
        let view = CopyView(deed: deed, path: path, report: report, advice: [advice])
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }

    /// Tells a terminal how far it is.
    static func progress(of name: String) -> (CopyProgress) -> Void {
        let screen = StandardError.shared
        return { progress in
            switch progress {
            case .copying(let bytes, let all):
                screen.progress("\(name): \(Spoken.size(bytes)) written, of \(Spoken.size(all)) at most")
            case .verifying(let position, let last):
                let percent = last.number == 0 ? 100 : min(100, position.number * 100 / last.number)
                screen.progress("\(name): verifies the copy, \(percent) %")
            }
        }
    }

    static func started(_ role: String) -> RunStarted {
        RunStarted(role: role, version: Version.text, host: Host.name, pid: Host.pid)
    }
}
