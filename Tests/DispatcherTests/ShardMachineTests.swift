import Dispatcher
import StreamModel
import TestSupport
import Testing

@Suite("Reading a shard")
struct ShardMachineTests {
    private typealias Action = ShardMachine.Action
    private let start = Start(.after(Sample.number(100)))

    private func fetching(from start: Start? = nil) -> ShardMachine {
        var machine = ShardMachine(start: start ?? self.start, pacing: PollPacing(maximum: .seconds(1)))
        #expect(machine.begin() == [.resolve(start ?? self.start)])
        #expect(machine.handle(.resolved(Sample.iterator("0"))) == [.fetch(Sample.iterator("0"), after: .zero)])
        return machine
    }

    /// A page of 1000 records, the last of which is `last`.
    private func page(_ last: Int?, next: String?) -> ShardMachine.Event {
        .page(
            PageFacts(
                records: last == nil ? 0 : 1000, bytes: 0, age: .zero, last: last.map { Sample.number($0) },
                next: next.map { Sample.iterator($0) }))
    }

    @Test("The next page is fetched while this one is delivered")
    func overlaps() {
        var machine = fetching()
        #expect(
            machine.handle(page(110, next: "1")) == [
                .deliver(pages: 1, upTo: Sample.number(110)), .fetch(Sample.iterator("1"), after: .zero),
            ])
    }

    @Test("What arrives meanwhile is delivered together, and never while a delivery is under way")
    func together() {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        #expect(machine.handle(page(120, next: "2")) == [.fetch(Sample.iterator("2"), after: .zero)])
        #expect(machine.handle(page(130, next: "3")) == [.fetch(Sample.iterator("3"), after: .zero)])
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.deliver(pages: 2, upTo: Sample.number(130))])
    }

    @Test("A slow target stops the fetching at the window, and a delivery goes on with it")
    func window() {
        var machine = fetching()
        for index in 1..<ShardMachine.window {
            #expect(
                machine.handle(page(100 + index, next: "\(index)")).contains {
                    if case .fetch = $0 { true } else { false }
                })
        }
        #expect(machine.handle(page(150, next: "x")) == [])
        #expect(
            machine.handle(.delivered(upTo: Sample.number(101))) == [
                .deliver(pages: ShardMachine.window - 1, upTo: Sample.number(150)),
                .fetch(Sample.iterator("x"), after: .zero),
            ])
    }

    @Test("An empty page is not the end (API Reference, GetRecords)")
    func empty() {
        var machine = fetching()
        #expect(machine.handle(page(nil, next: "1")) == [.fetch(Sample.iterator("1"), after: PollPacing.first)])
        #expect(machine.isInStep)
    }

    @Test(
        "A shard that never brought anything may sleep after its first page, and one that did after a row of empty ones"
    )
    func sleep() {
        var machine = fetching()
        #expect(!machine.maySleep, "there may be anything")
        _ = machine.handle(page(nil, next: "1"))
        #expect(machine.maySleep)
        _ = machine.handle(page(110, next: "2"))
        _ = machine.handle(.delivered(upTo: Sample.number(110)))
        for _ in 0...ShardMachine.quietPages {
            #expect(!machine.maySleep, "more may come")
            _ = machine.handle(page(nil, next: "3"))
        }
        #expect(machine.maySleep)
        _ = machine.handle(page(120, next: "4"))
        for _ in 0...ShardMachine.quietPages { _ = machine.handle(page(nil, next: "5")) }
        #expect(!machine.maySleep, "a delivery is under way")
        _ = machine.handle(.delivered(upTo: Sample.number(120)))
        #expect(machine.maySleep)
    }

    @Test("Records that come with the end are delivered before the shard is done (PEERS row 6)")
    func lastPage() {
        var machine = fetching()
        #expect(machine.handle(page(110, next: nil)) == [.deliver(pages: 1, upTo: Sample.number(110))])
        #expect(!machine.isInStep)
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.finish(.done)])
    }

    @Test("An empty shard is done at once")
    func emptyShard() {
        var machine = fetching(from: Start(.trimHorizon))
        #expect(machine.handle(page(nil, next: nil)) == [.finish(.done)])
    }

    @Test("A dead iterator is asked for anew after the last journaled record, once all that was read is durable")
    func expired() {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        #expect(machine.handle(.expired) == [])
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.resolve(Start(.after(Sample.number(110))))])
        #expect(machine.handle(.resolved(Sample.iterator("2"))) == [.fetch(Sample.iterator("2"), after: .zero)])
    }

    @Test("A dead iterator that the shard was to begin with sends it back to the start table")
    func startExpired() {
        var machine = fetching(from: Start(.iterator(Sample.iterator("0"))))
        #expect(machine.handle(.expired) == [.finish(.startExpired)])
        var newest = fetching(from: Start(.latest))
        #expect(newest.handle(.expired) == [.finish(.startExpired)], "LATEST is another place by now")
    }

    @Test("An iterator that is dead at once a second time is not asked for again without a pause (PEERS row 20)")
    func expiredAtOnce() {
        var machine = fetching()
        #expect(machine.handle(.expired) == [.resolve(start)])
        _ = machine.handle(.resolved(Sample.iterator("1")))
        _ = machine.handle(page(nil, next: "2"))
        #expect(machine.handle(.expired) == [.resolve(start)], "a page came in between")
        _ = machine.handle(.resolved(Sample.iterator("3")))
        #expect(machine.handle(.expired) == [.finish(.expiredAtOnce)])
    }

    @Test("A shard that is gone is reported, after what was read of it")
    func gone() {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        #expect(machine.handle(.gone) == [])
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.finish(.gone)])
    }

    @Test("Trimmed records are reported, wherever we stood, and after what was read before them")
    func trimmed() {
        var machine = fetching()
        #expect(machine.handle(.trimmed) == [.finish(.trimmed)])
        var busy = fetching()
        _ = busy.handle(page(110, next: "1"))
        #expect(busy.handle(.trimmed) == [])
        #expect(busy.handle(.delivered(upTo: Sample.number(110))) == [.finish(.trimmed)])
    }

    @Test("A stop finishes what is in flight and drops what waits")
    func stop() {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        _ = machine.handle(page(120, next: "2"))
        #expect(machine.handle(.stop) == [])
        #expect(machine.handle(page(130, next: "3")) == [], "an answer after the stop is promised to nobody")
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.finish(.stopped)])
        var idle = fetching()
        #expect(idle.handle(.stop) == [.finish(.stopped)])
    }

    @Test(
        "A stop or a rewind that comes after the last page does not end a shard of which a page was dropped",
        arguments: [(.stop, .stopped), (.displaced, .displaced)] as [(ShardMachine.Event, ShardMachine.Outcome)])
    func droppedAtTheEnd(event: ShardMachine.Event, outcome: ShardMachine.Outcome) {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        #expect(machine.handle(page(120, next: nil)) == [], "it waits for the target")
        #expect(machine.handle(event) == [])
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.finish(outcome)])
        #expect(machine.durable == Start(.after(Sample.number(110))))
    }

    @Test(
        "A page that fails while its shard is put down changes nothing",
        arguments: [.trimmed, .gone, .expired] as [ShardMachine.Event])
    func failedAtTheEnd(event: ShardMachine.Event) {
        var machine = fetching()
        _ = machine.handle(page(110, next: "1"))
        #expect(machine.handle(.stop) == [])
        #expect(machine.handle(event) == [])
        #expect(machine.handle(.delivered(upTo: Sample.number(110))) == [.finish(.stopped)])
    }

    @Test("A rewind that is noticed waits for the batch in flight; one that the batch ran into ends it there and then")
    func displaced() {
        var noticed = fetching()
        _ = noticed.handle(page(110, next: "1"))
        #expect(noticed.handle(.displaced) == [])
        #expect(noticed.handle(.conflict) == [.finish(.displaced)])

        var conflicting = fetching()
        _ = conflicting.handle(page(110, next: "1"))
        _ = conflicting.handle(page(120, next: "2"))
        #expect(conflicting.handle(.conflict) == [.finish(.displaced)])

        var idle = fetching()
        #expect(idle.handle(.displaced) == [.finish(.displaced)])
    }

    /// A target and a service with moods, drawn from one seed: every record exactly once and in order, never two deliveries
    /// at a time, never more pages than the window.
    @Test("Every record is delivered once and in order, whatever expires", arguments: 0..<300 as Range<UInt64>)
    func walk(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let total = Int.random(in: 0...60, using: &random)
        var machine = ShardMachine(start: Start(.trimHorizon), pacing: PollPacing(maximum: .seconds(1)))
        var pending = machine.begin()
        var read = 0  // the cursor's place
        var inFlight: (pages: Int, upTo: SequenceNumber)?
        var fetched: [[Int]] = []
        var delivered: [Int] = []
        var fetches = 0
        var steps = 0

        while steps < 10_000 {
            steps += 1
            var events: [ShardMachine.Event] = []
            var restart: [Action] = []
            for action in pending {
                switch action {
                case .resolve(let place):
                    if let number = place.sequenceNumber { read = Int(number.text) ?? -1 } else { read = 0 }
                    fetched = []
                    events.append(.resolved(Sample.iterator("i")))
                case .fetch: fetches += 1
                case .deliver(let pages, let upTo):
                    #expect(inFlight == nil, "two deliveries at a time")
                    inFlight = (pages, upTo)
                case .finish(.expiredAtOnce):
                    #expect(inFlight == nil && fetched.isEmpty, "all that was read is durable")
                    machine = ShardMachine(start: machine.durable, pacing: PollPacing(maximum: .seconds(1)))
                    restart = machine.begin()
                case .finish(let outcome):
                    #expect(outcome == .done)
                    #expect(delivered == Array(1...max(total, 1)).filter { $0 <= total })
                    return
                }
            }
            if !restart.isEmpty {
                pending = restart
                continue
            }
            if events.isEmpty {
                #expect(fetches <= 1)
                let canDeliver = inFlight != nil
                if fetches > 0, !canDeliver || Bool.random(using: &random) {
                    fetches -= 1
                    if Int.random(in: 0..<10, using: &random) == 0 {
                        events.append(.expired)
                    } else {
                        let count = Int.random(in: 0...min(4, total - read), using: &random)
                        let records = Array((read + 1)..<(read + 1 + count))
                        read += count
                        if !records.isEmpty { fetched.append(records) }
                        #expect(fetched.count <= ShardMachine.window)
                        let isEnd = read == total && Bool.random(using: &random)
                        events.append(
                            .page(
                                PageFacts(
                                    records: count, bytes: 0, age: .zero, last: records.last.map { Sample.number($0) },
                                    next: isEnd ? nil : Sample.iterator("i"))))
                    }
                } else if let batch = inFlight {
                    let pages = fetched.prefix(batch.pages)
                    fetched.removeFirst(min(batch.pages, fetched.count))
                    delivered += pages.joined()
                    #expect(delivered.last.map { Sample.number($0) } == batch.upTo)
                    inFlight = nil
                    events.append(.delivered(upTo: batch.upTo))
                } else {
                    Issue.record("seed \(seed): nothing is under way and the shard is not finished")
                    return
                }
            }
            pending = events.flatMap { machine.handle($0) }
        }
        Issue.record("seed \(seed): no end in 10,000 steps")
    }
}
