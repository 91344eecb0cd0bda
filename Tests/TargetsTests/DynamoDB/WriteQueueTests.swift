import DynamoDB
import Testing

@testable import DynamoDBTarget

@Suite("The queue of writes")
struct WriteQueueTests {
    private static func queue(
        _ sizes: [Int], due: [Duration]? = nil, writes: Int = 3, bytes: Int = 100, calls: Int = 2, keeps: Bool = false
    ) -> WriteQueue {
        WriteQueue(
            sizes: sizes, due: due ?? sizes.map { _ in .zero },
            limits: .init(writes: writes, bytes: bytes, calls: calls),
            policy: RetryPolicy(), patience: .seconds(60), keepsCalls: keeps, at: .zero)
    }

    /// The next step, which must be a call.
    private static func call(_ queue: inout WriteQueue, at now: Duration = .zero) throws -> WriteQueue.Call {
        guard case .call(let call) = queue.next(at: now) else { throw NoCall() }
        return call
    }

    private struct NoCall: Error {}

    @Test("A call holds as many writes and bytes as it may, in order, and one that is larger goes alone")
    func filled() throws {
        var queue = Self.queue([10, 10, 10, 10, 95, 300, 1], calls: 9)
        var calls: [[Int]] = []
        while case .call(let call) = queue.next(at: .zero) { calls.append(call.members) }
        #expect(calls == [[0, 1, 2], [3], [4], [5], [6]])
    }

    @Test("No more calls are under way than may be, and the end is when all have come back")
    func bounded() throws {
        var queue = Self.queue([1, 1, 1], writes: 1)
        let (first, second) = (try Self.call(&queue), try Self.call(&queue))
        #expect(queue.next(at: .zero) == .wait(until: nil))
        #expect(queue.handle(.done(unprocessed: []), of: first, random: 0, at: .zero) == nil)
        let third = try Self.call(&queue)
        _ = queue.handle(.done(unprocessed: []), of: third, random: 0, at: .zero)
        #expect(queue.next(at: .zero) == .wait(until: nil))
        _ = queue.handle(.done(unprocessed: []), of: second, random: 0, at: .zero)
        #expect(queue.next(at: .zero) == .done)
    }

    @Test("What is left undone three times goes into later calls, after waits that grow, and never twice at a time")
    func unprocessed() throws {
        var queue = Self.queue([1, 1, 1, 1])
        var now = Duration.zero
        var call = try Self.call(&queue)
        let other = try Self.call(&queue)
        _ = queue.handle(.done(unprocessed: []), of: other, random: 0.5, at: now)
        var waits: [Duration] = []
        for _ in 1...3 {
            _ = queue.handle(.done(unprocessed: [1]), of: call, random: 0.5, at: now)
            guard case .wait(let until?) = queue.next(at: now) else { throw NoCall() }
            waits.append(until - now)
            now = until
            call = try Self.call(&queue, at: now)
            #expect(call.members == [1])
            #expect(queue.next(at: now) == .wait(until: nil))
        }
        #expect(waits == [.milliseconds(75), .milliseconds(150), .milliseconds(300)])
        _ = queue.handle(.done(unprocessed: []), of: call, random: 0.5, at: now)
        #expect(queue.next(at: now) == .done)
    }

    @Test("A write that must wait holds up no other")
    func held() throws {
        var queue = Self.queue([1, 1, 1], due: [.zero, .seconds(10), .zero])
        let call = try Self.call(&queue)
        #expect(call.members == [0, 2])
        _ = queue.handle(.done(unprocessed: []), of: call, random: 0, at: .zero)
        #expect(queue.next(at: .zero) == .wait(until: .seconds(10)))
        #expect(try Self.call(&queue, at: .seconds(10)).members == [1])
    }

    @Test("A refused call is halved until one write is left, and the others are written", arguments: 0..<7)
    func halved(bad: Int) throws {
        var queue = Self.queue(Array(repeating: 1, count: 7), writes: 7, calls: 1)
        var written: Set<Int> = []
        var refused: Int?
        while case .call(let call) = queue.next(at: .zero) {
            let isBad = call.members.contains(bad)
            if !isBad { written.formUnion(call.members) }
            refused = queue.handle(isBad ? .refused : .done(unprocessed: []), of: call, random: 0, at: .zero) ?? refused
            if refused != nil { break }
        }
        #expect(refused == bad)
        #expect(!written.contains(bad))
    }

    @Test("A transaction that was in somebody's way is made again whole, as the same call")
    func kept() throws {
        var queue = Self.queue([1, 1, 1, 1], keeps: true)
        let (first, second) = (try Self.call(&queue), try Self.call(&queue))
        _ = queue.handle(.throttled, of: first, random: 0.5, at: .zero)
        _ = queue.handle(.done(unprocessed: []), of: second, random: 0, at: .zero)
        #expect(queue.next(at: .zero) == .wait(until: .milliseconds(75)))
        #expect(try Self.call(&queue, at: .milliseconds(75)) == first)
    }

    @Test("Throttled for a minute without anything done is stuck; what is done begins the minute anew")
    func stuck() throws {
        var queue = Self.queue([1, 1], writes: 1, calls: 1)
        var call = try Self.call(&queue)
        _ = queue.handle(.throttled, of: call, random: 0, at: .seconds(59))
        call = try Self.call(&queue, at: .seconds(59))
        _ = queue.handle(.done(unprocessed: []), of: call, random: 0, at: .seconds(60))
        call = try Self.call(&queue, at: .seconds(61))
        _ = queue.handle(.throttled, of: call, random: 0, at: .seconds(119))
        call = try Self.call(&queue, at: .seconds(120))
        _ = queue.handle(.throttled, of: call, random: 0, at: .seconds(121))
        #expect(queue.next(at: .seconds(121)) == .stuck)
    }

    @Test("Nor is waiting for one when others were done before")
    func patienceAfterOthers() throws {
        var queue = Self.queue([1, 1], due: [.zero, .seconds(600)])
        let first = try Self.call(&queue)
        _ = queue.handle(.done(unprocessed: []), of: first, random: 0, at: .seconds(1))
        #expect(queue.next(at: .seconds(1)) == .wait(until: .seconds(600)))
        let second = try Self.call(&queue, at: .seconds(600))
        _ = queue.handle(.throttled, of: second, random: 0, at: .seconds(659))
        let third = try Self.call(&queue, at: .seconds(660))
        _ = queue.handle(.throttled, of: third, random: 0, at: .seconds(661))
        #expect(queue.next(at: .seconds(661)) == .stuck)
    }

    @Test("Waiting for a key in doubt is not being stuck")
    func patience() {
        var queue = Self.queue([1], due: [.seconds(600)])
        #expect(queue.next(at: .zero) == .wait(until: .seconds(600)))
        #expect(queue.next(at: .seconds(599)) == .wait(until: .seconds(600)))
    }
}
