package import StreamSim

/// What a plan draws, besides numbers.
extension Chance {
    /// A generator of its own, so that what one part draws changes nothing for another.
    package mutating func split() -> Chance { Chance(seed: next()) }

    package mutating func of(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    /// In 0..<1.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
    package mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

    /// Short ones often, long ones seldom: from `shortest` to `longest`, even in its order of magnitude.
    package mutating func duration(_ shortest: Duration, _ longest: Duration) -> Duration {
        let (low, high) = (Self.seconds(shortest), Self.seconds(longest))
        var value = low
        let doublings = unit()
        var ratio = high / low
        // low * ratio^doublings, without a mathematics library: by halves of the exponent.
        var rest = doublings
        for _ in 0..<24 {
            ratio = ratio.squareRoot()
            rest *= 2
            if rest >= 1 {
                value *= ratio
                rest -= 1
            }
        }
        return .microseconds(Int64(value * 1e6))
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
