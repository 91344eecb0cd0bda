internal import Foundation

/// The seeds of tests by chance: a fixed set and a fresh one, or `SHAKE_SEED` alone.
package enum Seeds {
    package static let all: [UInt64] = {
        if let text = ProcessInfo.processInfo.environment["SHAKE_SEED"], let seed = UInt64(text) { return [seed] }
        return fixed + [UInt64.random(in: 3...(.max))]
    }()

    /// Of these it is known what they come by; a fresh one may happen to be poor.
    package static let fixed: [UInt64] = [1, 2]

    /// The same, and a seed that once found something.
    package static func and(_ seeds: UInt64...) -> [UInt64] {
        ProcessInfo.processInfo.environment["SHAKE_SEED"] == nil ? seeds + all : all
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
