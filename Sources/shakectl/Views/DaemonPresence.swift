internal import Dispatcher
internal import Journal
internal import StreamModel

/// Whether a daemon works on the journal.
enum DaemonPresence: Hashable, Sendable {
    /// Who, as the journal's lock says; and what it says of itself, which a new daemon has yet to do.
    case running(String, VitalSigns?)
    /// It holds the lock, and gives no sign that it does anything: who, and what there is instead of a sign.
    case silent(String, String)
    /// None runs, and none can: `compact --copy` holds the lock. Who.
    case beingCopied(String)
    /// And what is known of the last one.
    case notRunning(String)

    /// Of a running daemon.
    var signs: VitalSigns? {
        switch self {
        case .running(_, let signs): signs
        case .silent, .beingCopied, .notRunning: nil
        }
    }

    /// Why none runs, where none does.
    var absence: String? {
        switch self {
        case .running, .silent: nil
        case .beingCopied(let who): Self.copying(by: who)
        case .notRunning(let why): why
        }
    }

    static func copying(by who: String) -> String {
        "the journal is being copied by `compact --copy` (\(who)), and none can start until that has ended"
    }
}

extension DaemonPresence {
    /// A sign may be of so much later than whoever reads it: its clock was read before.
    private static let tolerance: Duration = .seconds(5)

    /// Asks the journal's lock.
    ///
    /// - Throws: `.journal`.
    static func of(_ journal: Journal, now: Timestamp) throws(ShakectlError) -> DaemonPresence {
        if let holder = journal.holder() {
            // What a daemon said before it is no sign of a copying.
            guard holder.role == .daemon else { return .beingCopied(holder.words) }
            return judge(
                holder.words, since: holder.since, VitalsFile.read(from: journal.path), in: journal.path, now: now)
        }
        let last = try asking(journal.lastDaemonRun)
        let who = last.map { "the last one was pid \($0.pid) on \($0.host)" } ?? "none has run yet"
        return .notRunning("\(who); `shakectl run` starts one")
    }

    /// What cannot be read is no sign of life, nor is what nobody can have written yet.
    ///
    /// - Parameter since: when the daemon began; it says how it fares soon after, and is granted what it is later.
    static func judge(
        _ holder: String, since: Timestamp?, _ reading: VitalsFile.Reading, in journal: String, now: Timestamp
    ) -> DaemonPresence {
        let path = "\(journal)/\(VitalsFile.name)"
        let advice = "it is suspended, or it hangs; look at its log and its disk"
        switch reading {
        case .signs(let signs):
            let ahead = signs.written - now
            guard ahead > tolerance else { return .running(holder, signs) }
            return .silent(
                holder,
                "the daemon (\(holder)) has given no sign since this machine's clock was set back: \(path) is of "
                    + "\(Spoken.duration(ahead)) from now; \(advice)")
        case .unreadable(let why):
            let age = since.map { now - $0 }
            if let age, age + tolerance >= .zero, age <= Health.Limits().silence { return .running(holder, nil) }
            let ago = age.map { $0 < .zero ? "" : ", \(Spoken.duration($0)) ago" } ?? ""
            return .silent(
                holder,
                "the daemon (\(holder)) has given no sign since it began\(ago): \(path) can't be read: \(why); \(advice), and "
                    + "whether you may read the file")
        }
    }
}
