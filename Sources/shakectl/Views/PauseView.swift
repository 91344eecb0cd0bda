internal import Dispatcher
internal import Journal
internal import StreamModel

/// What `pause` and `resume` say.
struct PauseView: Sendable {
    let deed: PauseRequest.Deed
    let subject: Subject
    let table: TableName
    /// As it was.
    let before: Pause?
    /// Of the event; `nil` where it was so already.
    let position: Position?
    /// As the journal knows them now.
    let pauses: [KnownPause]
    /// Whether a daemon works on the journal.
    let isRunning: Bool

    private var own: KnownPause? { pauses.first { $0.shard == subject.shard } }

    var json: JSON {
        [
            "table": .string(table.text),
            "stream": .string(subject.shard?.stream.text),
            "shard": .string(subject.shard?.shard.text),
            "paused": .bool(own != nil),
            "changed": .bool(position != nil),
            "author": .string(own?.pause.author),
            "reason": .string(own?.pause.reason),
            "since": .string(own?.pause.time.description),
            "held_until": .string(own?.heldUntil?.description),
            "position": position.map { .unsigned($0.number) } ?? .null,
        ]
    }

    func lines(_ palette: Palette, now: Timestamp) -> [String] {
        let what = subject.shard.map { "shard \($0)" } ?? "table \(table)"
        switch deed {
        case .pause:
            guard let own else { return ["\(what) was resumed meanwhile."] }
            guard position != nil else { return ["\(what) is paused already: \(own.words)", own.outlook(now: now)] }
            let next =
                isRunning
                ? "The daemon finishes what is in flight, and asks for no more."
                : "No daemon is running; the next one finds it paused."
            return [palette.paint("paused", .yellow) + "  \(what)", next, own.outlook(now: now)]
        case .resume:
            let others = pauses.filter { $0.shard != subject.shard }.filter { $0.shard == nil || subject.shard == nil }
            let left = others.map { $0.shard == nil ? "The whole table is \($0.words)" : "Still: \($0.words)" }
            guard let before, position != nil else { return ["\(what) is not paused."] + left }
            let next =
                isRunning
                ? "The daemon goes on where it stood." : "No daemon is running; the next one goes on where it stood."
            return [
                palette.paint("resumed", .green) + "  \(what), which \(before.author) had paused", next,
            ] + left
        }
    }
}

extension KnownPause {
    var json: JSON {
        [
            "shard": .string(shard?.shard.text), "author": .string(pause.author), "reason": .string(pause.reason),
            "since": .string(pause.time.description), "held_until": .string(heldUntil?.description),
        ]
    }
}
