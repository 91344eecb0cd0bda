internal import Journal

/// Whether a daemon works on the journal.
enum DaemonPresence: Hashable, Sendable {
    /// Who, as the journal's lock says.
    case running(String)
    /// And what is known of the last one.
    case notRunning(String)

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
        if let holder = journal.daemonHolder() { return .running(holder) }
        let last = try asking(journal.lastDaemonRun)
        let who = last.map { "the last one was pid \($0.pid) on \($0.host)" } ?? "none has run yet"
        return .notRunning("\(who); `shakectl run` starts one")
    }
}
