internal import Dispatcher
internal import Journal
internal import Targets

/// What `backup`, `restore`, `import` and `compact --copy` have in common: a journal is written, and verified where it was
/// written.
enum Copying {
    /// Beside the journal's own: they are only added to, and events name places in them.
    static let files = [DeadLetterFile.name]

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
