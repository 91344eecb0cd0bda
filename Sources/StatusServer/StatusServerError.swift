/// Why the server could not begin.
package enum StatusServerError: Error, Hashable, Sendable, CustomStringConvertible {
    case notBound(address: HTTPAddress, reason: Reason)

    package enum Reason: Hashable, Sendable {
        case inUse
        case notPermitted
        /// No network of this machine has it.
        case notOurs
        case other(String)
    }

    package var description: String {
        switch self {
        case .notBound(let address, .inUse):
            "--http \(address): another program listens there (`ss -ltnp 'sport = :\(address.port)'` shows which); end it, or name "
                + "another port"
        case .notBound(let address, .notPermitted):
            "--http \(address): this user may not listen there; ports below 1024 are for root, so name another"
        case .notBound(let address, .notOurs):
            "--http \(address): this machine has no such address; 127.0.0.1 is for itself alone, 0.0.0.0 for whoever reaches it"
        case .notBound(let address, .other(let why)): "--http \(address): it can't be listened there: \(why)"
        }
    }
}
