import Dispatcher
import StreamModel
import Testing

@testable import shakectl

@Suite("The line of progress")
struct ScanProgressLineTests {
    private let orders = TableName("orders")

    private func line(_ items: UInt64, of estimate: Int64, rate: Double = 250) -> String {
        var line = ScanProgressLine()
        line.update(orders, ScanProgress(items: items, estimatedItems: estimate, rates: .init(items: rate)))
        return line.text()
    }

    @Test("It has the items, the share, the rate and the time left")
    func whole() {
        #expect(line(2500, of: 10_000) == "orders: 2,500 of ~10,000 items, 25 %, 250/s, 30 s left")
    }

    @Test("Where the service doesn't know, or its count is too old, nothing is guessed")
    func unknown() {
        #expect(line(2500, of: 0) == "orders: 2,500 items, 250/s")
        #expect(line(2500, of: 2000) == "orders: 2,500 items, 250/s")
    }

    @Test("At the start there is no rate yet")
    func start() {
        #expect(line(0, of: 100, rate: 0) == "orders: 0 of ~100 items, 0 %")
    }

    @Test("Several tables share the line, which never wraps; a finished one leaves it")
    func several() {
        var line = ScanProgressLine()
        for name in ["c", "a", "b"] {
            line.update(TableName(name), ScanProgress(items: 1, estimatedItems: 1_000_000))
        }
        #expect(line.text(width: 40) == "a: 1 of ~1,000,000 items, 0 % | b: 1 of…")
        let done = ScanProgress(items: 1, estimatedItems: 1_000_000, segmentsFinished: 1)
        line.update(TableName("a"), done)
        #expect(line.text().hasPrefix("b: "))
        line.update(TableName("b"), done)
        line.update(TableName("c"), done)
        #expect(line.text().isEmpty)
    }
}
