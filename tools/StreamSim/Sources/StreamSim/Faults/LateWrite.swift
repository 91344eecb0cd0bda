/// A write that the service has taken and not done yet.
struct LateWrite: Sendable {
    enum Due: Sendable {
        case told
        case at(Int64)
        /// After so many more writes.
        case writes(Int)
    }

    let request: Request
    var due: Due

    init(_ request: Request, _ effect: LateEffect, at now: Int64) {
        self.request = request
        due =
            switch effect {
            case .whenTold: .told
            case .after(let wait): .at(now + wait)
            case .afterWrites(let count): .writes(count)
            }
    }

    var time: Int64? {
        guard case .at(let time) = due else { return nil }
        return time
    }
}
