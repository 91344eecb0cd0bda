/// How many calls of an action came, and how many in one second.
package struct CallCount: Hashable, Sendable {
    package private(set) var calls = 0
    /// Of the second of the clock in which most came.
    package private(set) var mostInASecond = 0
    private var second: Int64 = 0
    private var inSecond = 0

    /// - Parameter now: in microseconds.
    mutating func note(at now: Int64) {
        if now / 1_000_000 != second { (second, inSecond) = (now / 1_000_000, 0) }
        calls += 1
        inSecond += 1
        mostInASecond = max(mostInASecond, inSecond)
    }
}
