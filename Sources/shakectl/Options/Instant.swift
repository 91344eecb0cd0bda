internal import ArgumentParser
internal import Journal
internal import StreamModel

/// When, in the journal's own count or by the clock.
enum Instant: Hashable, Sendable {
    case position(Position)
    case moment(Moment)
}

extension Instant {
    /// As an option's `transform`.
    static func parse(_ text: String) throws -> Instant {
        guard let instant = Instant(argument: text) else {
            throw ValidationError("it expects a position of the journal such as 812, or \(Moment.expects)")
        }
        return instant
    }

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
