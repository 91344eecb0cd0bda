/// The number that a writer's transactions carry, so that the server refuses them once another number has taken its place.
///
/// Numbers are drawn, not counted: where the answer to a claim was lost, its writer knows its own number again, and can't take
/// another's for it.
struct WriterGeneration: Hashable, Sendable {
    private(set) var number = Self.draw()
    /// Claimed for the session after a lost one, with no answer yet.
    private var next: Int64?

    private static func draw() -> Int64 { .random(in: 0..<(1 << 62)) }

    /// What the number at the server must be, or be already, for this writer to go on. The same until it is answered.
    mutating func claim() -> (from: Int64, to: Int64) {
        let to = next ?? Self.draw()
        next = to
        return (number, to)
    }

    /// The server has said that the claim holds.
    mutating func claimed() {
        number = next ?? number
        next = nil
    }
}
