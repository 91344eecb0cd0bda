internal import DynamoDB
internal import Journal
internal import StreamModel

/// What has become of a table since the journal heard of it last: which one has its name, and which of its items are wanted.
enum IdentityChange: Hashable, Sendable {
    case none
    /// It was dropped, and another one has its name.
    case madeAgain
    /// It is a table of another account or region, by its ARN: nobody has made it anew, and what is copied is not of it.
    case elsewhere(known: String, found: String)
    /// Another filter than the one with which the scan was begun that is still to be finished.
    case scannedByAnotherFilter
    case otherFilter
    /// The journal has it as gone.
    case backAgain
    /// Of which the journal knew less before.
    case known

    /// With `--mode incr`, which copies nothing, a table that was made again is one with another stream.
    static func since(
        _ state: TableState, _ table: TableDescription, wanted: Wanted, mode: DaemonConfiguration.Mode
    ) -> Self {
        guard let phase = state.phase else { return .none }
        if isAnother(table, than: state), mode != .incr {
            guard let known = state.stream?.table, let found = table.stream?.table, known != found else {
                return .madeAgain
            }
            return .elsewhere(known: known, found: found)
        }
        if let before = state.wanted, before != wanted {
            return phase == .fullSync ? .scannedByAnotherFilter : .otherFilter
        }
        if state.removed != nil { return .backAgain }
        let isNews = state.wanted == nil || state.id == nil && table.id != nil
        return phase == .incrSync && isNews ? .known : .none
    }

    static func isAnother(_ table: TableDescription, than state: TableState?) -> Bool {
        guard let known = state?.id, let id = table.id else { return false }
        return known != id
    }
}
