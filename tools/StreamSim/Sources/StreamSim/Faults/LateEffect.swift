/// When a write takes effect whose caller was left without an answer.
package enum LateEffect: Hashable, Sendable {
    /// When `Simulator.releaseLateWrites` says so.
    case whenTold
    /// So many microseconds after the call.
    case after(Int64)
    /// Once so many writes that came after it are done and answered.
    case afterWrites(Int)
}
