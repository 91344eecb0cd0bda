internal import Dispatcher
internal import Journal

/// Whether a daemon works on the journal.
enum DaemonPresence: Hashable, Sendable {
    /// Who, as the journal's lock says; and what it says of itself, which a new daemon has yet to do.
    case running(String, VitalSigns?)
    /// And what is known of the last one.
    case notRunning(String)

    /// Of a running daemon.
    var signs: VitalSigns? {
        switch self {
        case .running(_, let signs): signs
        case .notRunning: nil
        }
    }

    var isRunning: Bool {
        switch self {
        case .running: true
        case .notRunning: false
        }
    }
}

extension DaemonPresence {
    /// Asks the journal's lock.
    ///
    /// - Throws: `.journal`.
    static func of(_ journal: Journal) throws(ShakectlError) -> DaemonPresence {
        if let holder = journal.daemonHolder() { return .running(holder, VitalsFile.read(from: journal.path)) }
        let last = try asking(journal.lastDaemonRun)
        let who = last.map { "the last one was pid \($0.pid) on \($0.host)" } ?? "none has run yet"
        return .notRunning("\(who); `shakectl run` starts one")
    }
}
