package import Journal
internal import StreamModel
internal import Synchronization

/// Months of a journal in minutes: the appends that a daemon makes, by a clock of its own, and the folding that it does beside
/// them every hour.
///
/// No table, no stream and no target: what is measured is the journal. Advances of some seconds share one durable
/// transaction, as they do where many shards are read at once.
package struct Soak: Sendable {
    package struct Load: Hashable, Sendable {
        package var days = 90
        /// Shards that are read at a time. Each lives for `life` hours, and then a child continues it; they end one after the other.
        package var shards = 200
        package var life = 4
        /// Seconds between two advances of a shard.
        package var interval = 1
        /// Seconds whose advances share one transaction.
        package var together = 10
        package var policy = FoldPolicy()
        /// Whether old events are folded: without that everything grows, which shows that the bounds can be missed.
        package var folds = true

        package init() {}
    }

    /// The journal at the end of a day.
    package struct Day: Hashable, Sendable {
        package let day: Int
        package let facts: JournalFacts
        /// Shards that were read to their end.
        package let finished: Int
        package let advances: UInt64
        package let folded: UInt64
        /// Opening it again as a daemon does: how long that took, and what it holds in memory besides.
        package let opened: Duration
        package let heldBytes: Int
    }

    private struct Slot {
        var number: Int
        var shard: ShardKey
        var parent: ShardID?
        var revision: Revision
        var sequence: Int
    }

    private final class Clock: Sendable {
        private let time = Mutex(Timestamp("2026-01-01T00:00:00Z") ?? Timestamp(microseconds: 0))
        var now: Timestamp { time.withLock { $0 } }
        func advance(_ seconds: Int) { time.withLock { $0 = $0 + .seconds(seconds) } }
    }

    /// What waits takes no time: the folding's pauses are for those who append meanwhile.
    private struct NoWait: _Concurrency.Clock {
        var now: ContinuousClock.Instant { ContinuousClock.now }
        var minimumResolution: Duration { .zero }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
    }

    private static let table = TableName("orders")
    private static let stream = StreamARN(
        "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000")
    private static let started = RunStarted(
        role: "daemon", version: "soak", host: "here", pid: 1, region: "eu-central-1", endpoint: "",
        target: "sqlite:/data/replica.db")

    private let path: String
    private let load: Load
    private let clock = Clock()
    private let surroundings: Surroundings
    private var slots: [Slot] = []
    private var made = 0
    private var finished = 0
    private var advances: UInt64 = 0
    private var folded: UInt64 = 0

    /// - Parameter path: of a journal that is made.
    package init(_ path: String, _ load: Load) {
        self.path = path
        self.load = load
        surroundings = Surroundings(clock: NoWait(), now: { [clock] in clock.now })
    }

    /// - Parameter report: is given each day, at its end.
    package mutating func run(_ report: (Day) -> Void) async throws {
        for day in 1...load.days {
            let before = Memory.held()
            let began = ContinuousClock.now
            let journal = try Journal.open(path, .daemon(Self.started), surroundings: surroundings, isInline: true)
            let opened = began.duration(to: .now)
            let held = max(0, Memory.held() - before)
            try await pass(86_400, journal)
            let facts = try journal.facts()
            await journal.close(reason: "the day is over")
            report(
                Day(
                    day: day, facts: facts, finished: finished, advances: advances, folded: folded, opened: opened,
                    heldBytes: held))
        }
    }

    /// What `verify` says of all of it.
    package func verify() throws -> VerifyReport { try Journal.open(path, .reader).verify { _ in } }

    private mutating func pass(_ seconds: Int, _ journal: Journal) async throws {
        let step = max(load.together, load.interval)
        for second in stride(from: 0, to: seconds, by: step) {
            if slots.isEmpty { try await begin(journal) }
            try await rotate(from: second, to: second + step, journal)
            try await advance(step / load.interval, journal)
            clock.advance(step)
            if load.folds, (second + step) % 3600 < step {
                folded += try await journal.compact(load.policy).folded
            }
        }
    }

    /// Each ends `life` hours after it began; over that time all do, one after the other.
    private mutating func rotate(from second: Int, to end: Int, _ journal: Journal) async throws {
        let life = load.life * 3600
        for index in slots.indices {
            let due = life * index / slots.count
            // Not those that have only just begun.
            guard slots[index].number > load.shards || finished > 0 || second > 0 else { continue }
            guard (second..<end).contains(where: { $0 % life == due }) else { continue }
            try await replace(index, journal)
        }
    }

    private mutating func begin(_ journal: Journal) async throws {
        for _ in 0..<load.shards {
            let slot = next()
            slots.append(try await begin(slot, parent: nil, journal))
        }
    }

    private mutating func next() -> Slot {
        made += 1
        // As long as DynamoDB's.
        let digits = String(made)
        let shard = ShardID(
            "shardId-000000017" + String(repeating: "0", count: 11 - digits.count) + digits + "-1a2b3c4d")
        return Slot(
            number: made, shard: ShardKey(table: Self.table, stream: Self.stream, shard: shard), parent: nil,
            revision: .none,
            sequence: made * 100_000_000)
    }

    private func begin(_ slot: Slot, parent: ShardID?, _ journal: Journal) async throws -> Slot {
        let range = SequenceRange(starting: Self.number(slot.sequence), ending: nil)
        let receipts = try await journal.append([
            Draft(
                shard: slot.shard, expecting: .none,
                [
                    .shardDiscovered(ShardDiscovered(parent: parent, range: range, start: .trimHorizon)),
                    .queried(
                        Queried(
                            revision: Revision(1), status: .notProcessed, iteratorType: .trimHorizon,
                            sequenceNumber: nil, worker: "here/1")),
                    .iteratorResolved(
                        IteratorResolved(
                            rule: "trim_horizon", iteratorType: .trimHorizon, sequenceNumber: nil,
                            iterator: ShardIterator(String(repeating: "AAAAAAAA", count: 32)))),
                    .statusChanged(
                        StatusChanged(from: .notProcessed, to: .inProcessing, reason: "its records are read")),
                ])
        ])
        var slot = slot
        slot.parent = parent
        slot.revision = receipts[0].checkpoint?.revision ?? .none
        return slot
    }

    private mutating func replace(_ index: Int, _ journal: Journal) async throws {
        let old = slots[index]
        let range = SequenceRange(
            starting: Self.number(old.number * 100_000_000), ending: Self.number(old.sequence))
        _ = try await journal.append([
            Draft(
                shard: old.shard, expecting: old.revision,
                [
                    .shardDiscovered(ShardDiscovered(parent: old.parent, range: range, start: .trimHorizon)),
                    .statusChanged(StatusChanged(from: .inProcessing, to: .done, reason: "its end is reached")),
                ])
        ])
        finished += 1
        slots[index] = try await begin(next(), parent: old.shard.shard, journal)
    }

    private mutating func advance(_ count: Int, _ journal: Journal) async throws {
        var drafts: [Draft] = []
        drafts.reserveCapacity(count * slots.count)
        // As they come: one of each shard, then the next.
        for _ in 0..<count {
            for index in slots.indices {
                slots[index].sequence += 7
                guard let number = Self.number(slots[index].sequence) else { continue }
                let advance = SequenceAdvanced(
                    sequenceNumber: number, records: 20, bytes: 9000, approximateTime: clock.now, targetToken: nil)
                drafts.append(
                    Draft(shard: slots[index].shard, expecting: slots[index].revision, [.sequenceAdvanced(advance)]))
                slots[index].revision = slots[index].revision.next
            }
        }
        _ = try await journal.append(drafts)
        advances += UInt64(drafts.count)
    }

    /// Of 21 digits, as DynamoDB's are.
    private static func number(_ offset: Int) -> SequenceNumber? {
        let digits = String(offset)
        return SequenceNumber("1" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits)
    }
}
