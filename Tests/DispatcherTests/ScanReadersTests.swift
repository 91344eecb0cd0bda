import Testing

@testable import Dispatcher

@Suite("How many segments are read at a time")
struct ScanReadersTests {
    /// A source that gives each reader `each` bytes a second, and all of them `most`; so many seconds of it.
    private func readers(each: Int, most: Int, seconds: Int, maximum: Int = 16) -> Int {
        var readers = ScanReaders(first: 4, maximum: maximum, now: .zero)
        read(&readers, each: each, most: most, seconds: 0..<seconds)
        return readers.count
    }

    private func read(_ readers: inout ScanReaders, each: Int, most: Int, seconds: Range<Int>) {
        for tick in (seconds.lowerBound * 20 + 1)...(seconds.upperBound * 20) {
            for _ in 0..<readers.count {
                readers.took(min(each, most / readers.count) / 20, at: .milliseconds(tick * 50))
            }
        }
    }

    @Test("As many as bring more, and not the one with which that was found out")
    func climb() {
        #expect(readers(each: 1 << 20, most: 8 << 20, seconds: 60) == 8)
        #expect(readers(each: 1 << 20, most: 1 << 20, seconds: 60) == 4)
    }

    @Test("Never more than the bound, nor than the user chose")
    func bound() {
        #expect(readers(each: 1 << 20, most: 1 << 40, seconds: 600) == 16)
        #expect(readers(each: 1 << 20, most: 1 << 40, seconds: 600, maximum: 3) == 3)
    }

    @Test("It is tried again after a while, since a target may have become faster")
    func again() {
        var readers = ScanReaders(first: 4, maximum: 16, now: .zero)
        read(&readers, each: 1 << 20, most: 1 << 20, seconds: 0..<300)
        #expect(readers.count == 4)
        read(&readers, each: 1 << 20, most: 6 << 20, seconds: 300..<360)
        #expect(readers.count == 6)
    }

    @Test("However often it is tried in vain, there are no more of them")
    func inVain() {
        var counts: Set<Int> = []
        var readers = ScanReaders(first: 4, maximum: 16, now: .zero)
        for second in 0..<7200 {
            read(&readers, each: 1 << 20, most: 1 << 20, seconds: second..<second + 1)
            counts.insert(readers.count)
        }
        #expect(counts == [4, 5])
        #expect(readers.count == 4)
    }
}
