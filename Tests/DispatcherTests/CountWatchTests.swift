import Testing

@testable import Dispatcher

@Suite("When a count has grown")
struct CountWatchTests {
    @Test("is the newest look that saw more of it")
    func newest() {
        var watch = CountWatch()
        #expect(watch.look(0, uptime: .seconds(2)) == nil)
        #expect(watch.look(3, uptime: .seconds(4)) == .seconds(4))
        #expect(watch.look(3, uptime: .seconds(6)) == .seconds(4))
        #expect(watch.look(4, uptime: .seconds(8)) == .seconds(8))
    }
}
