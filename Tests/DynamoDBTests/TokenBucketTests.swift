import DynamoDB
import TestSupport
import Testing

@Suite("Calls a second")
struct TokenBucketTests {
    /// When calls are made by those who come at some times.
    private func calls(_ rate: Int, arriving: [Duration]) -> [Duration] {
        var bucket = TokenBucket(perSecond: rate)
        return arriving.map { $0 + bucket.reserve(at: $0) }
    }

    private func mostInASecond(_ calls: [Duration]) -> Int {
        var (first, most) = (0, 0)
        for last in calls.indices {
            while calls[last] - calls[first] >= .seconds(1) { first += 1 }
            most = max(most, last - first + 1)
        }
        return most
    }

    @Test("No second has more calls than may be made, wherever it begins", arguments: Seeds.all)
    func strict(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        for rate in [1, 2, 3, 7, 8, 10, 19, 20, 100, 1000] {
            var now = Duration.zero
            let arriving = (0..<5 * rate + 20).map { _ in
                // Most come in droves, some after a silence of up to two seconds.
                if Int.random(in: 0..<10, using: &chance) == 0 {
                    now += .milliseconds(Int.random(in: 0...2000, using: &chance))
                }
                return now
            }
            let calls = calls(rate, arriving: arriving)
            #expect(mostInASecond(calls) <= rate, "SHAKE_SEED=\(seed), \(rate) a second")
            #expect(calls == calls.sorted(), "in the order in which they came")
        }
    }

    @Test("Who always has more to ask makes nine of ten calls that may be made", arguments: [1, 8, 10, 100, 1000])
    func full(rate: Int) {
        let calls = calls(rate, arriving: Array(repeating: .zero, count: 10 * rate))
        #expect(calls[calls.count - 1] <= .seconds(11) + .milliseconds(200))
    }

    @Test("A call that could not wait is waited for by the next ones")
    func owed() {
        var bucket = TokenBucket(perSecond: 10)
        #expect(bucket.wait(at: .zero) == .zero)
        for _ in 0..<10 { bucket.owe(at: .zero) }
        #expect(bucket.wait(at: .zero) >= .seconds(1))
        #expect(bucket.wait(at: .seconds(2)) == .zero)
    }
}
