internal import ArgumentParser
internal import Journal
internal import StreamModel

/// When, in the journal's own count or by the clock.
enum Instant: Hashable, Sendable {
    case position(Position)
    case moment(Moment)
}

extension Instant: ExpressibleByArgument {
    /// Digits alone are a position.
    init?(argument: String) {
        if let number = UInt64(argument) {
            self = .position(Position(number))
        } else if let moment = Moment(argument: argument) {
            self = .moment(moment)
        } else {
            return nil
        }
    }
}
