internal import Dispatcher
internal import Journal

/// Events as lines of text. The widths are fixed, since a log that grows can't be measured before it is written.
struct EventLines: Sendable {
    let palette: Palette
    /// Whether each line says what it is about: yes for the whole journal, no for the history of one shard.
    let namesSubject: Bool

    var heading: String {
        palette.paint(row("POSITION", "REV", "TIME (UTC)", "EVENT", namesSubject ? "ABOUT: WHAT" : "WHAT"), .bold)
    }

    func line(_ view: EventView) -> String {
        let event = view.event
        let kind = Self.padded(event.payload.kind, Self.kindWidth)
        // A reason is anybody's text.
        let shown = TerminalText.printable(view.words)
        let words = namesSubject ? "\(palette.paint(view.about, .dim)): \(shown)" : shown
        return row(
            event.position.description, event.revision?.description ?? "-", Spoken.time(event.time),
            palette.paint(kind, view.colour), words)
    }

    private func row(_ position: String, _ revision: String, _ time: String, _ kind: String, _ words: String) -> String
    {
        let place = Self.padded(position, 9, right: true) + "  " + Self.padded(revision, 6, right: true)
        return "\(place)  \(Self.padded(time, 23))  \(Self.padded(kind, Self.kindWidth))  \(words)"
    }

    /// `sequence_advanced` and `iterator_resolved`, the longest.
    private static let kindWidth = 17

    private static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - text.count))
        return right ? padding + text : text + padding
    }
}
