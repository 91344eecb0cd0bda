package import Journal
package import StreamModel

/// What is paused is not read, and stays paused whatever is killed.
extension Judge {
    /// For how long what was in flight may be asked for once more.
    private static let flight: Duration = .seconds(30)

    /// A page of a table's scan or of a shard is given out.
    ///
    /// - Parameters:
    ///   - began: when the process began that asked for it.
    ///   - awake: when it was last stopped and went on.
    ///   - interval: how often it looks for what others have appended.
    package func violation(
        ofReading subject: Subject, at now: Timestamp, began: Timestamp, awake: Timestamp, watching interval: Duration
    ) -> Violation? {
        guard let since = chronicle.paused(subject) else { return nil }
        // A process that begins finds it paused.
        let isKnown = since < began
        guard isKnown || now > max(since, awake) + interval + Self.flight else { return nil }
        let known = isKnown ? ", before the process began" : ""
        return Violation(.pause, "\(subject) is read at \(now), and paused since \(since)\(known)")
    }

    /// The journal's own word on what is paused, against what its events say.
    package func violations(ofPausesIn journal: Journal) -> [Violation] {
        do throws(JournalError) {
            let known =
                try journal.tables().filter { $0.pause != nil }.map { Subject.table($0.table) }
                + journal.checkpoints().filter { $0.pause != nil }.map { Subject.shard($0.shard) }
            guard Set(known) != Set(chronicle.pauses.keys) else { return [] }
            return [
                Violation(
                    .pause, "paused are, as the journal has it, \(known), and as its events say \(chronicle.pauses)")
            ]
        } catch {
            return [Violation(.journal, "at rest: \(error)")]
        }
    }
}
