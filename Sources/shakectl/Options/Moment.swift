internal import ArgumentParser
internal import StreamModel

/// A time as an operator says it.
enum Moment: Hashable, Sendable {
    case at(Timestamp)
    /// `15m`: that long ago.
    case ago(Duration)

    static let expects = "a time in UTC such as 2026-11-23T16:30 or with a zone, or how long ago, such as 15m or 2h"

    func timestamp(now: Timestamp) -> Timestamp {
        switch self {
        case .at(let time): time
        case .ago(let duration): now + (.zero - duration)
        }
    }
}

extension Moment {
    /// As an option's `transform`.
    static func parse(_ text: String) throws -> Moment {
        guard let moment = Moment(argument: text) else { throw ValidationError("it expects \(expects)") }
        return moment
    }

    init?(argument: String) {
        if let time = Timestamp(argument) {
            // `--since 15` was hardly meant as 15 seconds after 1970 began.
            guard Double(argument) == nil || time.seconds > 100_000_000 else { return nil }
            self = .at(time)
        } else if let duration = Spelling.duration(argument) {
            self = .ago(duration)
        } else {
            return nil
        }
    }
}
