/// A workload that goes on by itself as time passes.
struct SteadyLoad: Sendable {
    var workload: Workload
    let perSecond: Double
    /// From when on it counts, in microseconds.
    var since: Int64
    var made = 0

    /// What may be made up for at once; who lets more time pass than that loses the rest.
    private static let longestArrears = 10_000

    /// How many changes are to be made by now.
    mutating func due(at now: Int64) -> Int {
        let due = Int(Double(now - since) / 1_000_000 * perSecond) - made
        guard due <= Self.longestArrears else {
            (since, made) = (now, 0)
            return Self.longestArrears
        }
        made += max(0, due)
        return max(0, due)
    }
}
