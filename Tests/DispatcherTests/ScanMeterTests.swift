import Testing

@testable import Dispatcher

@Suite("What a scan brings a second")
struct ScanMeterTests {
    @Test("Of the last minute, and of this run")
    func minute() {
        var meter = ScanMeter(items: 1000, bytes: 5000, now: .zero)
        for second in 1...60 { meter.took(items: 10, bytes: 100, capacity: 0.5, at: .seconds(second)) }
        #expect(meter.rates(at: .seconds(60)) == .init(items: 10, bytes: 100, pages: 1, capacity: 0.5))
        for second in 61...120 { meter.took(items: 20, bytes: 100, capacity: 2, at: .seconds(second)) }
        #expect(meter.rates(at: .seconds(120)) == .init(items: 20, bytes: 100, pages: 1, capacity: 2))
        #expect(meter.items == 1000 + 600 + 1200)
        #expect(meter.bytes == 5000 + 12_000)
    }

    @Test("At the beginning nothing is known")
    func beginning() {
        #expect(ScanMeter(items: 9, bytes: 9, now: .seconds(5)).rates(at: .seconds(5)) == .init())
    }

    @Test("A scan that stands still gets slower and slower")
    func standstill() {
        var meter = ScanMeter(items: 0, bytes: 0, now: .zero)
        meter.took(items: 100, bytes: 0, capacity: 0, at: .seconds(1))
        #expect(meter.rates(at: .seconds(100)).items == 1)
    }
}
