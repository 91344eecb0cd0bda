internal import Targets

/// Which keys may still be changed by a call whose outcome nobody knows, and until when: a value, told the time.
///
/// A put that timed out may be done a moment after it was given up. Done after a newer change of the same key it would undo that,
/// so a *different* change of such a key waits until `settle` has passed since the last try that was given up. The same change may
/// be repeated at once: whichever of the two comes last, the item is the same.
///
/// A daemon that was killed may have left calls under way that nobody has noted: so at first every key is in doubt.
struct DoubtfulKeys: Equatable, Sendable {
    struct Key: Hashable, Sendable {
        /// At the target.
        let table: String
        let key: CanonicalKey
    }

    /// What a change makes of its item, as a number: two changes of one key that make different items have different ones, but for one
    /// pair in 2^64.
    typealias Content = Int

    private struct Note: Equatable {
        let content: Content
        let until: Duration
    }

    private let settle: Duration
    /// Of keys that are noted one by one.
    private let limit: Int
    private var notes: [Key: Note] = [:]
    private var all: Duration

    /// - Parameter now: since some moment of the caller's own; never goes back.
    init(settle: Duration, limit: Int = 10_000, openedAt now: Duration) {
        self.settle = settle
        self.limit = limit
        all = now + settle
    }

    /// The moment from which nothing is in doubt.
    var clearAt: Duration { notes.values.reduce(all) { max($0, $1.until) } }

    /// Whether nothing is in doubt, so that nobody need be asked about.
    func isClear(at now: Duration) -> Bool { clearAt <= now }

    /// A try of these changes was given up at `time`, and may be done until `settle` after that.
    mutating func note(_ changes: [(key: Key, content: Content)], at time: Duration) {
        for (key, content) in changes {
            notes[key] = Note(content: content, until: max(time + settle, notes[key]?.until ?? .zero))
        }
        guard notes.count > limit else { return }
        notes = notes.filter { $0.value.until > time }
        guard notes.count > limit else { return }
        // More than is remembered key by key: so the longest goes for every key. Calls come back in any order.
        all = clearAt
        notes = [:]
    }

    /// The moment from which the change may be written; one that has passed if it may be now.
    func earliest(_ content: Content, of key: Key) -> Duration {
        guard let note = notes[key], note.content != content else { return all }
        return max(all, note.until)
    }

    /// Forgets what is past.
    mutating func forget(at now: Duration) {
        guard !notes.isEmpty else { return }
        notes = notes.filter { $0.value.until > now }
    }
}
