import Testing

@testable import StatusServer

@Suite("A connection")
struct VisitTests {
    private let start = ContinuousClock.now
    private let limits = ServerLimits()

    /// After so many seconds each.
    private func visit(_ events: [(Int, Visit.Event)]) -> (Visit, [Visit.Action]) {
        var visit = Visit(now: start)
        let actions = events.map { visit.handle($0.1, now: start + .seconds($0.0)) }
        return (visit, actions)
    }

    private func isOver(_ visit: Visit, _ seconds: Int) -> Bool {
        visit.isOver(limits, now: start + .seconds(seconds))
    }

    @Test("that asks for nothing is over after ten seconds, and after an answer later")
    func silence() {
        var (visit, _) = visit([])
        #expect(!isOver(visit, 10) && isOver(visit, 11))
        (visit, _) = self.visit([(9, .head(hasBody: false)), (9, .answered)])
        #expect(visit.isIdle && !isOver(visit, 69) && isOver(visit, 70))
    }

    @Test("has as long for an answer as that takes to be made")
    func answering() {
        let (visit, actions) = visit([(0, .head(hasBody: false)), (1, .head(hasBody: false)), (2, .answered)])
        #expect(actions == [.pass, .pass, .pass])
        #expect(visit.state == .answering(1) && !visit.isIdle && !isOver(visit, 100_000))
    }

    @Test("with a body is refused, behind an answer after that, and nothing more of it is heard")
    func bodies() {
        var (visit, actions) = visit([(0, .head(hasBody: true)), (0, .head(hasBody: false))])
        #expect(actions == [.refuse, .drop])
        #expect(!isOver(visit, 1) && isOver(visit, 2))
        (visit, actions) = self.visit([
            (0, .head(hasBody: false)), (0, .head(hasBody: true)), (0, .head(hasBody: false)), (5, .answered),
        ])
        #expect(actions == [.pass, .drop, .drop, .refuse])
        #expect(!isOver(visit, 6) && isOver(visit, 7))
    }

    @Test("whose client takes a little now and then goes on; one that takes nothing is over")
    func slow() {
        var (visit, _) = visit([(0, .head(hasBody: false)), (0, .given), (0, .given), (0, .given), (0, .given)])
        for seconds in [9, 18, 27] {
            #expect(!isOver(visit, seconds))
            _ = visit.handle(.taken, now: start + .seconds(seconds))
        }
        #expect(!isOver(visit, 37) && isOver(visit, 38))
        _ = visit.handle(.taken, now: start + .seconds(37))
        #expect(!isOver(visit, 1000), "a stream in which nothing happens")
    }

    @Test("is closed after the last word, but not before that is taken")
    func farewell() {
        let (visit, actions) = visit([
            (0, .head(hasBody: false)), (0, .given), (0, .farewell), (5, .farewell), (8, .taken),
        ])
        #expect(actions == [.pass, .pass, .pass, .drop, .leave])
        let (sending, _) = self.visit([(0, .head(hasBody: false)), (0, .given), (0, .answered)])
        #expect(!sending.isIdle)
        #expect(visit.isIdle && !isOver(visit, 9) && isOver(visit, 10))
        let (broken, said) = self.visit([(0, .answered)])
        #expect(said == [.leave] && broken.state == .leaving, "what could not be read was answered as such")
    }

    @Test("is not heard where what it says is for nobody, until the last word is taken")
    func unheard() {
        #expect(visit([]).0.isHeard)
        #expect(visit([(0, .head(hasBody: false)), (0, .head(hasBody: false))]).0.isHeard)
        let behind: [(Int, Visit.Event)] = [(0, .head(hasBody: false)), (0, .head(hasBody: true))]
        #expect(!visit(behind).0.isHeard)
        #expect(!visit(behind + [(1, .answered), (1, .given)]).0.isHeard)
        #expect(visit(behind + [(1, .answered), (1, .given), (2, .taken)]).0.isHeard)
    }

    @Test("that goes over to another protocol has the answers it asked for, and is heard no more")
    func garbled() {
        var (visit, _) = visit([(0, .head(hasBody: false)), (0, .head(hasBody: false)), (0, .garbled)])
        #expect(!visit.isHeard && !visit.isLastAnswer)
        #expect(visit.handle(.answered, now: start) == .pass)
        #expect(!visit.isHeard && visit.isLastAnswer)
        #expect(visit.handle(.farewell, now: start) == .leave)
        #expect(!visit.isHeard && !isOver(visit, 1) && isOver(visit, 2))
    }
}
