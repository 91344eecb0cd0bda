import Dispatcher
import DynamoDB
import StreamModel
import Testing

@Suite("Whose turn it is")
struct TurnQueueTests {
    private let orders = TableName("orders")
    private let users = TableName("users")

    /// Whose turns come, as long as somebody waits, each as soon as it may.
    private func turns(_ queue: inout TurnQueue, _ count: Int = .max, from start: Duration = .zero) -> [Int] {
        var (now, turns): (Duration, [Int]) = (start, [])
        while turns.count < count, let wait = queue.wait(at: now) {
            now += wait
            if let id = queue.next(at: now) { turns.append(id) }
        }
        return turns
    }

    private func queue(_ limits: CallLimits = CallLimits(), behind: Range<Int>, idle: Range<Int>) -> TurnQueue {
        var queue = TurnQueue(limits)
        for id in behind { queue.add(id, of: orders, .behind) }
        for id in idle { queue.add(id, of: orders, .idle) }
        return queue
    }

    @Test("Three of four turns are for shards with more to give, and the fourth for an idle one")
    func shares() {
        var queue = queue(behind: 0..<6, idle: 100..<104)
        #expect(turns(&queue) == [0, 1, 2, 100, 3, 4, 5, 101, 102, 103])
        #expect(queue.isEmpty)
    }

    @Test("Of four turns one is for a lively shard, and one for an idle one, however many are behind")
    func threeKinds() {
        var queue = queue(behind: 0..<100, idle: 100..<110)
        for id in 200..<210 { queue.add(id, of: orders, .lively) }
        #expect(turns(&queue, 8) == [0, 200, 1, 100, 2, 201, 3, 101])
    }

    @Test("Where only one kind waits, all turns are its", arguments: TurnQueue.Urgency.allCases)
    func alone(urgency: TurnQueue.Urgency) {
        var queue = TurnQueue(CallLimits())
        for id in 0..<20 { queue.add(id, of: orders, urgency) }
        #expect(turns(&queue) == Array(0..<20), "in the order in which they came")
    }

    @Test("Tables take turns, however many of one of them wait")
    func tables() {
        var queue = TurnQueue(CallLimits())
        for id in 0..<100 { queue.add(id, of: orders, .idle) }
        for id in 100..<103 { queue.add(id, of: users, .idle) }
        #expect(turns(&queue, 7) == [0, 100, 1, 101, 2, 102, 3])
    }

    @Test("A table that has had what it may holds up no other one")
    func perTable() {
        var queue = TurnQueue(CallLimits(getRecords: 1000, getRecordsPerTable: 1))
        for id in 0..<3 { queue.add(id, of: orders, .behind) }
        queue.add(100, of: users, .idle)
        #expect(queue.next(at: .zero) == 0)
        #expect(queue.wait(at: .zero) == .zero)
        #expect(queue.next(at: .zero) == 100)
        #expect(queue.next(at: .zero) == nil)
        let wait = queue.wait(at: .zero) ?? .zero
        #expect(wait >= .seconds(1) && wait < .milliseconds(1001))
        #expect(queue.isFree(for: TableName("other"), at: .zero), "nobody who may call is passed by")
        #expect(!queue.isFree(for: users, at: .zero))
        #expect(queue.next(at: wait) == 1)
    }

    @Test("Who has only just come passes nobody by who may call")
    func passesNobody() {
        var queue = queue(behind: 0..<1, idle: 0..<0)
        #expect(!queue.isFree(for: users, at: .zero))
        #expect(queue.next(at: .zero) == 0)
        #expect(queue.isFree(for: users, at: .zero))
    }

    @Test("Who went away is passed over, and costs no call")
    func removed() {
        var queue = queue(CallLimits(getRecords: 10), behind: 0..<2, idle: 100..<101)
        queue.remove(0, of: orders, .behind)
        queue.remove(100, of: orders, .idle)
        #expect(queue.next(at: .zero) == 1)
        #expect(queue.isEmpty && queue.wait(at: .zero) == nil)
    }

    @Test("Who is due later is passed by until then, and then stands behind those who came before")
    func later() {
        var queue = queue(CallLimits(getRecords: 1000), behind: 0..<0, idle: 100..<101)
        queue.add(7, of: orders, .idle, from: .seconds(3))
        queue.add(8, of: users, .behind, from: .seconds(2))
        #expect(queue.next(at: .zero) == 100)
        #expect(queue.next(at: .seconds(1)) == nil)
        #expect(queue.wait(at: .seconds(1)) == .seconds(1) && queue.isFree(for: users, at: .seconds(1)))
        queue.add(101, of: orders, .idle)
        queue.rouse(at: .seconds(3))
        #expect(turns(&queue, from: .seconds(3)) == [8, 101, 7])
        #expect(queue.isEmpty)
    }

    @Test("Who went away before it was due is waited for by nobody")
    func removedBeforeDue() {
        var queue = TurnQueue(CallLimits())
        queue.add(7, of: orders, .idle, from: .seconds(3))
        queue.remove(7, of: orders, .idle)
        #expect(queue.isEmpty && queue.wait(at: .zero) == nil)
        queue.rouse(at: .seconds(3))
        #expect(queue.next(at: .seconds(3)) == nil)
    }

    @Test("A call that was made again counts as one")
    func again() {
        var queue = queue(CallLimits(getRecords: 10), behind: 0..<1, idle: 0..<0)
        for _ in 0..<10 { queue.calledAgain(at: .zero) }
        #expect(queue.next(at: .zero) == nil)
        #expect(queue.wait(at: .zero).map { $0 >= .seconds(1) } == true)
    }
}
