import DynamoDB
import StreamModel
import Testing

@testable import Dispatcher

@Suite("What a scan may consume")
struct ScanPacingTests {
    /// Asks for pages one after the other, each as soon as it may be, and says when the last one was asked for.
    private func time(ofPage count: Int, costing cost: Double, rate: Double) -> Duration {
        var pacing = ScanPacing(rate: rate, now: .zero)
        var now = Duration.zero
        for page in 1...count {
            let (wait, estimate) = pacing.ask(at: now)
            now += wait
            if page < count { pacing.settle(estimate, cost: cost, at: now) }
        }
        return now
    }

    @Test("Over a while the rate is kept, from the first page on", arguments: [1.0, 7, 128])
    func rate(cost: Double) {
        // 1,000 pages at 100 units a second.
        let seconds = time(ofPage: 1000, costing: cost, rate: 100) / .seconds(1)
        #expect(abs(seconds - (999 * cost) / 100) <= cost / 100 + 0.01)
    }

    @Test("Readers that ask at the same moment wait one behind the other")
    func together() {
        var pacing = ScanPacing(rate: 10, now: .zero)
        let first = pacing.ask(at: .zero)
        #expect(first.wait == .zero)
        pacing.settle(first.estimate, cost: 20, at: .zero)
        // In debt by twenty units, and each of these is taken to cost as much.
        #expect(pacing.ask(at: .zero).wait == .seconds(2))
        #expect(pacing.ask(at: .zero).wait == .seconds(4))
    }

    @Test("What need not wait is given at once, and accounted for")
    func atOnce() {
        var pacing = ScanPacing(rate: 10, now: .zero)
        pacing.settle(pacing.ask(at: .zero).estimate, cost: 20, at: .zero)
        #expect(pacing.askNow(at: .seconds(1)) == nil, "in debt by ten units")
        #expect(pacing.askNow(at: .seconds(2)) == 20)
        #expect(pacing.askNow(at: .seconds(2)) == nil)
        #expect(pacing.ask(at: .seconds(2)).wait == .seconds(2))
    }

    @Test("A page that never came costs nothing")
    func failed() {
        var pacing = ScanPacing(rate: 10, now: .zero)
        pacing.settle(pacing.ask(at: .zero).estimate, cost: 10, at: .zero)
        for _ in 0..<5 {
            let (wait, estimate) = pacing.ask(at: .seconds(1))
            #expect(wait == .zero)
            pacing.settle(estimate, cost: nil, at: .seconds(1))
        }
    }

    @Test("What nobody took for an hour is not taken at once")
    func idle() {
        var pacing = ScanPacing(rate: 10, now: .zero)
        let (wait, estimate) = pacing.ask(at: .seconds(3600))
        #expect(wait == .zero)
        pacing.settle(estimate, cost: 30, at: .seconds(3600))
        #expect(pacing.ask(at: .seconds(3600)).wait == .seconds(2))
    }

    @Test("A share is of what the table is provisioned with")
    func share() throws {
        let table = { (reads: Double?) in
            TableDescription(
                schema: TableSchema(
                    name: Sample.table, hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil),
                status: "ACTIVE", stream: nil, streamEnabled: true, viewType: nil, itemCount: 0,
                tableSizeBytes: 0, provisionedReads: reads)
        }
        #expect(try ScanCapacity.share(0.25).unitsPerSecond(of: table(400)) == 100)
        #expect(try ScanCapacity.units(7).unitsPerSecond(of: table(nil)) == 7)
        #expect {
            try ScanCapacity.share(0.25).unitsPerSecond(of: table(nil))
        } throws: {
            "\($0)".contains("billed on demand") && "\($0)".contains("25 %") && "\($0)".contains("--scan-capacity 500")
        }
    }
}
