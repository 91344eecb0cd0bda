import Testing

@testable import Dispatcher

@Suite("How many segments are read at a time")
struct ScanReadersTests {
    /// A source that gives each reader `each` bytes a second, and all of them `most`; so many seconds of it.
    private func readers(each: Int, most: Int, seconds: Int, maximum: Int = 16) -> Int {
        var readers = ScanReaders(first: 4, maximum: maximum, now: .zero)
        for tick in 1...(seconds * 20) {
            for _ in 0..<readers.count {
                readers.took(min(each, most / readers.count) / 20, at: .milliseconds(tick * 50))
            }
        }
        return readers.count
    }

    @Test("As many as bring more, and one with which that was found out")
    func climb() {
        #expect(readers(each: 1 << 20, most: 8 << 20, seconds: 60) == 9)
        #expect(readers(each: 1 << 20, most: 1 << 20, seconds: 60) == 5)
    }

    @Test("Never more than the bound, nor than the user chose")
    func bound() {
        #expect(readers(each: 1 << 20, most: 1 << 40, seconds: 600) == 16)
        #expect(readers(each: 1 << 20, most: 1 << 40, seconds: 600, maximum: 3) == 3)
    }

    @Test("It is tried again after a while, since a target may have become faster")
    func again() {
        #expect(readers(each: 1 << 20, most: 1 << 20, seconds: 300) == 5)
        #expect(readers(each: 1 << 20, most: 1 << 20, seconds: 330) == 6)
    }
}
