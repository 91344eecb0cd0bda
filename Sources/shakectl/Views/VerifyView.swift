internal import Dispatcher
internal import Journal

/// `verify`: what was found.
enum VerifyView: Sendable {
    case sound(events: UInt64, folded: UInt64, shards: Int, lastPosition: Position)
    case damaged(position: Position?, problem: String)

    var json: JSON {
        switch self {
        case .sound(let events, let folded, let shards, let last):
            [
                "ok": .bool(true), "events": .unsigned(events), "folded": .unsigned(folded),
                "shards": .integer(Int64(shards)),
                "last_position": .unsigned(last.number),
            ]
        case .damaged(let position, let problem):
            [
                "ok": .bool(false), "position": position.map { .unsigned($0.number) } ?? .null,
                "problem": .string(problem),
            ]
        }
    }

    /// What is damaged is told as the error that it is.
    func lines(_ palette: Palette) -> [String] {
        switch self {
        case .sound(let events, let folded, let shards, let last):
            [
                "\(palette.paint("ok", .green)): \(Spoken.count(events, "event"))"
                    + (folded == 0 ? "" : " and \(Spoken.count(folded, "folded event"))")
                    + " up to position \(last), "
                    + "\(Spoken.count(UInt64(shards), "shard")): the chain, the fold and the index hold"
            ]
        case .damaged: []
        }
    }
}
