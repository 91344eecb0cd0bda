import Testing

@testable import Dispatcher

@Suite("How long the journal has answered no append")
struct AppendWatchTests {
    private func after(_ seconds: Int) -> Duration { .seconds(1000 + seconds) }

    @Test("counts from the first look that saw one unanswered, until any is answered")
    func counts() {
        var watch = AppendWatch()
        #expect(watch.look(asked: 0, answered: 0, uptime: after(0)) == nil)
        #expect(watch.look(asked: 3, answered: 0, uptime: after(2)) == after(2))
        #expect(watch.look(asked: 9, answered: 0, uptime: after(4)) == after(2))
        #expect(watch.look(asked: 9, answered: 1, uptime: after(6)) == after(6))
        #expect(watch.look(asked: 9, answered: 1, uptime: after(8)) == after(6))
        #expect(watch.look(asked: 9, answered: 9, uptime: after(10)) == nil)
    }

    @Test("is nothing under load, where each look finds some under way and others answered")
    func load() {
        var watch = AppendWatch()
        for second in UInt64(1)...100 {
            #expect(
                watch.look(asked: second * 10, answered: second * 10 - 4, uptime: after(Int(second)))
                    == after(Int(second)))
        }
    }
}
