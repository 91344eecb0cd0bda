import Dispatcher
import StreamModel
import Synchronization
import Testing

/// How many hold bytes now, and how many did at most.
private final class Held: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    func enter() {
        counts.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave() { counts.withLock { $0.now -= 1 } }

    var now: Int { counts.withLock { $0.now } }
    var most: Int { counts.withLock { $0.most } }
}

@Suite("The byte budget")
struct ByteBudgetTests {
    @Test("However many want bytes, no more are held at a time than there are")
    func bound() async {
        let budget = ByteBudget(capacity: 4 << 20)
        let held = Held()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    guard let lease = try? await budget.reserve() else { return }
                    held.enter()
                    await Task.yield()
                    held.leave()
                    withExtendedLifetime(lease) {}
                }
            }
        }
        #expect(held.most <= 4)
        #expect(held.now == 0)
        #expect(budget.reserveNow(4 << 20) != nil, "everything came back")
    }

    @Test("What turns out smaller makes room for who waits")
    func resize() async throws {
        let budget = ByteBudget(capacity: 2 << 20)
        let large = try await budget.reserve(2 << 20)
        async let waiting = budget.reserve(1 << 20)
        large.resize(to: 1 << 20)
        _ = try await waiting
        #expect(budget.reserveNow(2 << 20) == nil, "the large one is still held")
        withExtendedLifetime(large) {}
    }

    @Test("Who is cancelled while waiting goes away, and holds nobody up behind")
    func cancelled() async throws {
        let budget = ByteBudget(capacity: 2 << 20)
        let all = try await budget.reserve(2 << 20)
        let impatient = Task { try await budget.reserve(2 << 20) }
        impatient.cancel()
        await #expect(throws: CancellationError.self) { try await impatient.value }
        all.resize(to: 0)
        #expect(budget.reserveNow(1 << 20) != nil)
        withExtendedLifetime(all) {}
    }

    @Test("More than there is can't be waited for: it is cut to the whole")
    func huge() async throws {
        let budget = ByteBudget(capacity: 2 << 20)
        let lease = try await budget.reserve(1 << 40)
        #expect(budget.reserveNow(1) == nil)
        withExtendedLifetime(lease) {}
    }
}

@Suite("Signals and inboxes")
struct SignalTests {
    @Test("Everybody who waits, before or after, is let go")
    func fires() async {
        let signal = Signal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await signal.wait() } }
            signal.fire()
        }
        await signal.wait()
        #expect(signal.hasFired)
    }

    @Test("A cancelled wait ends")
    func cancelled() async {
        let signal = Signal()
        let task = Task { await signal.wait() }
        task.cancel()
        await task.value
        #expect(!signal.hasFired)
    }

    @Test("An inbox gives all that has come, each once, and waits for more")
    func inbox() async {
        let inbox = Inbox<Int>()
        inbox.put([1, 2, 2])
        inbox.put([3])
        await inbox.arrival()
        #expect(inbox.take() == [1, 2, 3])
        let waiting = Task { await inbox.arrival() }
        inbox.put([4])
        await waiting.value
        #expect(inbox.take() == [4])
        let cancelled = Task { await inbox.arrival() }
        cancelled.cancel()
        await cancelled.value
        #expect(inbox.take().isEmpty)
    }

    @Test("What a reader was woken for and did not take is there for the next")
    func notTaken() async {
        let inbox = Inbox<Int>()
        let first = Task { await inbox.arrival() }
        inbox.put([1])
        await first.value
        let cancelled = Task { await inbox.arrival() }
        cancelled.cancel()
        await cancelled.value
        await inbox.arrival()
        #expect(inbox.take() == [1])
    }
}

@Suite("The pulse")
struct PulseTests {
    @Test("Nothing is idle until every table follows and every shard is in step")
    func idle() {
        let pulse = Pulse(tables: [Sample.table], uptime: Surroundings().uptime)
        #expect(pulse.idleTime() == nil)
        pulse.atRest(Sample.table)
        #expect(pulse.idleTime() != nil)
        pulse.took(Sample.key("a"))
        #expect(pulse.idleTime() == nil)
        pulse.set(Sample.key("a"), inStep: true)
        #expect(pulse.idleTime() != nil)
        pulse.busy(Sample.table)
        #expect(pulse.idleTime() == nil)
    }

    @Test("What changes nothing is no activity")
    func quiet() {
        let time = Mutex<Duration>(.zero)
        let pulse = Pulse(tables: []) { time.withLock { $0 } }
        time.withLock { $0 = .seconds(100) }
        #expect(pulse.idleTime() == .seconds(100))
        pulse.atRest(Sample.table)
        pulse.set(Sample.key("a"), inStep: true)
        pulse.released(Sample.key("a"))
        #expect(pulse.idleTime() == .seconds(100))
        pulse.moved()
        #expect(pulse.idleTime() == .zero)
    }
}
