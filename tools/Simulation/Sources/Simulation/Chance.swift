/// SplitMix64: the same numbers for the same seed, for ever.
///
/// Source: Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (OOPSLA 2014).
package struct Chance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A generator of its own, so that what one part draws changes nothing for another.
    package mutating func split() -> Chance { Chance(seed: next()) }

    /// In 0..<bound.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    package mutating func of(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    package mutating func percent(_ share: Int) -> Bool { below(100) < share }
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
