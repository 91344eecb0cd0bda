import Dispatcher
import StreamModel
import Testing

/// When an idle shard puts on record that it is in step.
@Suite("Silence")
struct SilenceTests {
    private let start = Sample.moment

    /// Empty pages, a minute apart, for so many hours.
    private func silent(for hours: Int) -> (silence: Silence, now: Timestamp) {
        var silence = Silence()
        var now = start
        for _ in 0...(hours * 60) {
            now = now + .seconds(60)
            silence.took(isEmpty: true, at: now)
        }
        return (silence, now)
    }

    @Test("is said after six hours, and not before", arguments: [(5, false), (7, true)])
    func afterHours(hours: Int, isSaid: Bool) {
        let (silence, now) = silent(for: hours)
        #expect((silence.sign(beyond: start, now: now, isStopping: false) != nil) == isSaid)
    }

    @Test("vouches for what was made before its last page was asked for, and for no more")
    func until() {
        let (silence, now) = silent(for: 7)
        #expect(silence.sign(beyond: start, now: now, isStopping: false) == now + .seconds(-60))
    }

    @Test("is said at once of a shard of which nothing was ever said")
    func first() {
        let (silence, now) = silent(for: 1)
        #expect(silence.sign(beyond: nil, now: now, isStopping: false) == now + .seconds(-60))
    }

    @Test("is said at a stop where ten minutes would be new", arguments: [(300, false), (700, true)])
    func atStop(age: Int, isSaid: Bool) {
        let (silence, now) = silent(for: 1)
        #expect((silence.sign(beyond: now + .seconds(-age), now: now, isStopping: true) != nil) == isSaid)
    }

    @Test("begins anew with each page that brings something")
    func broken() {
        var (silence, now) = silent(for: 7)
        silence.took(isEmpty: false, at: now)
        #expect(silence.sign(beyond: start, now: now, isStopping: false) == nil)
    }

    @Test("is none after one empty page, which proves nothing")
    func onePage() {
        var silence = Silence()
        silence.took(isEmpty: true, at: start)
        #expect(silence.sign(beyond: start + .seconds(-86_400), now: start, isStopping: true) == nil)
    }
}
