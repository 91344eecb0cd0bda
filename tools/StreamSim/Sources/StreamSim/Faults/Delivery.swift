/// What the network makes of a reply.
package enum Delivery: Hashable, Sendable {
    case whole
    /// In microseconds.
    case delayed(Int64)
    /// The connection is reset, and nothing has happened.
    case resetBeforeEffect
    /// The connection is reset, and it has happened.
    case resetAfterEffect
    /// The connection breaks after so many bytes.
    case truncated(Int)
}
