internal import Dispatcher
internal import DynamoDB
internal import Simdjson
package import StreamModel
internal import Synchronization
package import Targets

/// Compares a table with its copy, both ways, key by key.
///
/// The source's segments are read side by side, and each page's keys are looked up at the target: what is missing or different there
/// is a suspect. The target's keys are listed beside that, and looked up at the source: what is not there is a suspect, too. Each
/// suspect is read again, consistently, until it is known (`Suspect`). A page of each reader and a bounded number of suspects'
/// keys are in memory, whatever the table's size.
package final class TableComparison: Sendable {
    /// Told of each finding, and now and then of the counts.
    package struct Observer: Sendable {
        package var found: @Sendable (Finding) async throws -> Void
        package var counted: @Sendable (ComparisonCounts) -> Void
        /// Rows that were written, and such as were removed, to put them right: before any more are.
        package var repaired: @Sendable (_ written: Int, _ removed: Int) async throws -> Void

        package init(
            found: @escaping @Sendable (Finding) async throws -> Void = { _ in },
            counted: @escaping @Sendable (ComparisonCounts) -> Void = { _ in },
            repaired: @escaping @Sendable (_ written: Int, _ removed: Int) async throws -> Void = { _, _ in }
        ) {
            self.found = found
            self.counted = counted
            self.repaired = repaired
        }
    }

    private static let listedAtOnce = 1000

    private let table: TableSchema
    private let target: any Target
    private let source: any ComparedSource
    private let plan: ComparisonPlan
    private let surroundings: Surroundings
    private let observer: Observer
    private let notes: ComparisonNotes
    private let copies: CopyReader
    private let suspects: SuspectQueue
    private let counts: Mutex<ComparisonCounts>
    private let failure = Mutex<ComparisonError?>(nil)

    /// - Parameter notes: where an earlier run got to, and where this one writes how far it is.
    package init(
        _ table: TableSchema, source: any ComparedSource, target: any Target, plan: ComparisonPlan,
        notes: ComparisonNotes, surroundings: Surroundings = Surroundings(), observer: Observer = Observer()
    ) {
        self.table = table
        self.source = source
        self.target = target
        self.plan = plan
        self.notes = notes
        self.surroundings = surroundings
        self.observer = observer
        copies = CopyReader(
            table: table, source: source, target: target, filter: plan.filter,
            pace: Pace(unitsPerSecond: plan.capacity, surroundings))
        suspects = SuspectQueue(surroundings)
        counts = Mutex(notes.earlier.counts)
    }

    /// - Returns: what was seen, by the runs before as well.
    /// - Throws: `ComparisonError`, or `CancellationError`; what was seen until then is in the notes.
    package func run() async throws -> ComparisonCounts {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.guarded(self.confirm) }
                group.addTask {
                    try await self.guarded(self.find)
                    await self.suspects.close()
                }
                try await group.waitForAll()
            }
        } catch {
            await notes.close()
            throw failure.withLock { $0 } ?? error
        }
        try await notes.finish()
        return counts.withLock { $0 }
    }

    /// Whoever fails wakes those that wait for it, which then end as cancelled: what it failed with is the reason.
    private func guarded(_ work: () async throws -> Void) async throws {
        do { try await work() } catch {
            if let error = error as? ComparisonError { failure.withLock { $0 = $0 ?? error } }
            await suspects.abort()
            throw error
        }
    }

    // MARK: Finding

    private func find() async throws {
        // What was suspected when an earlier run ended comes first.
        try await suspect(Array(notes.earlier.suspects))
        let segments = Line((0..<plan.segments).filter { notes.earlier.segments[$0]?.isDone != true })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, plan.readers) {
                group.addTask {
                    while let segment = segments.next() {
                        try await self.guarded { try await self.read(segment) }
                    }
                }
            }
            group.addTask { try await self.guarded(self.list) }
            try await group.waitForAll()
        }
    }

    /// What a segment of the source has must be at the target.
    private func read(_ segment: Int) async throws {
        var items = ItemReader()
        var key = notes.earlier.segments[segment]?.after
        repeat {
            try Task.checkCancellation()
            let page = try await copies.pace.paced {
                let page = try await asking { () throws(DynamoDBError) in
                    try await source.scan(
                        table, segment: segment, of: plan.segments, after: key, consistent: false,
                        filter: plan.filter, limit: nil)
                }
                return (page, cost: page.capacityUnits ?? 0)
            }
            var found: [(key: CanonicalKey, item: SourceItem)] = []
            // The service has left out what the filter leaves out.
            try copies.read(page) { if plan.sample.has($0) { found.append(($0, $1)) } }
            var differing: [CanonicalKey] = []
            for some in stride(from: 0, to: found.count, by: CopyReader.keysAtOnce) {
                let some = found[some..<min(some + CopyReader.keysAtOnce, found.count)]
                let held = try await copies.target(some.map(\.key))
                for (one, held) in zip(some, held) where try !isEqual(one, held, &items) { differing.append(one.key) }
            }
            count { $0.compared += UInt64(found.count) }
            key = page.lastEvaluatedKey
            try await notes.read(segment, upTo: key, compared: found.count, suspects: differing)
            try await suspect(differing)
        } while key != nil
    }

    private func isEqual(
        _ source: (key: CanonicalKey, item: SourceItem), _ held: [UInt8]?, _ items: inout ItemReader
    ) throws -> Bool {
        guard let held else { return false }
        if held.elementsEqual(source.item.bytes) { return true }
        return Difference(
            source: try copies.decoded(source.item, &items),
            target: try copies.decodedTarget(held, source.key, &items)) == nil
    }

    /// What the target has must be at the source.
    private func list() async throws {
        guard notes.earlier.listed != .done else { return }
        var last: CanonicalKey?
        if case .after(let key) = notes.earlier.listed { last = key }
        while true {
            try Task.checkCancellation()
            let keys = try await copies.retrying { [last] () throws(TargetError) in
                try await target.keys(of: table, after: last, limit: Self.listedAtOnce)
            }
            guard let keys else { throw ComparisonError.keepsNoState(target: target.name) }
            guard let end = keys.last else { break }
            let sampled = keys.filter(plan.sample.has)
            let found = try await copies.source(sampled)
            count { $0.looked += UInt64(sampled.count) }
            last = end
            let gone = sampled.filter { found[$0] == nil }
            try await notes.listed(upTo: end, looked: sampled.count, suspects: gone)
            try await suspect(gone)
        }
        try await notes.listedAll()
    }

    private func suspect(_ keys: [CanonicalKey]) async throws {
        // The first look comes at once: most of what is in flight is settled by it.
        for key in keys {
            let now = surroundings.uptime()
            try await suspects.add(Suspect(key, at: now), due: now)
        }
    }

    // MARK: Confirming

    private func confirm() async throws {
        var items = ItemReader()
        while var some = try await suspects.next() {
            let copies = try await copies.both(some.map(\.key), &items)
            let now = surroundings.uptime()
            var confirmed: [Finding] = []
            for index in some.indices {
                let verdict = some[index].look(
                    source: copies[index].source, target: copies[index].target, at: now, plan.patience)
                switch verdict {
                case .lookAgain: await suspects.again(some[index], due: now + plan.patience.settle)
                case .equal: try await notes.decided(some[index].key)
                case .moving:
                    count { $0.moving += 1 }
                    try await notes.moving(some[index].key)
                case .differs(let difference):
                    confirmed.append(
                        Finding(key: some[index].key, difference, plan.repair == .dryRun ? .wouldBeRepaired : .left))
                }
            }
            if plan.repair == .write { confirmed = try await repair(confirmed, &items) }
            for finding in confirmed {
                count {
                    $0.count(finding.difference)
                    if finding.outcome == .repaired { $0.repaired += 1 }
                }
                try await notes.found(finding)
                try await observer.found(finding)
            }
        }
    }

    private func count(_ change: (inout ComparisonCounts) -> Void) {
        observer.counted(
            counts.withLock { counts in
                change(&counts)
                return counts
            })
    }

    // MARK: Putting right

    /// How often an item is written again that was changed meanwhile.
    private static let attempts = 5

    /// Writes each as the source has it, and looks at both copies again: the source may have changed the item before the write was
    /// there, and the daemon brought that already. What the source has after the write, and the write had, is what
    /// stays: whatever a daemon brings later is newer.
    private func repair(_ findings: [Finding], _ items: inout ItemReader) async throws -> [Finding] {
        var findings = findings
        var open = Array(findings.indices)
        for _ in 0..<Self.attempts where !open.isEmpty {
            let found = try await copies.source(open.map { findings[$0].key })
            var written: [Int] = []
            for index in try await write(open, of: findings, found) {
                switch index {
                case .success(let index): written.append(index)
                case .failure(let refusal): findings[refusal.index].outcome = .notRepaired(refusal.reason)
                }
            }
            try await observer.repaired(
                written.filter { found[findings[$0].key] != nil }.count,
                written.filter { found[findings[$0].key] == nil }.count)
            let both = try await copies.both(written.map { findings[$0].key }, &items)
            open = zip(written, both).filter { Difference(source: $1.source, target: $1.target) != nil }.map(\.0)
            for index in written where !open.contains(index) { findings[index].outcome = .repaired }
        }
        for index in open {
            findings[index].outcome = .notRepaired("it was changed again each time that it was written")
        }
        return findings
    }

    private struct Refusal: Error {
        let index: Int
        let reason: String
    }

    /// All at once; where one can't be written, one by one, so that it is known which.
    private func write(
        _ indexes: [Int], of findings: [Finding], _ found: [CanonicalKey: SourceItem]
    ) async throws -> [Result<Int, Refusal>] {
        do {
            let batch = batch(indexes.map { findings[$0].key }, found)
            try await copies.retrying { () throws(TargetError) in _ = try await target.write([batch]) }
            return indexes.map { .success($0) }
        } catch ComparisonError.target(.unwritable(_, _, let reason, _)) {
            guard indexes.count > 1 else { return indexes.map { .failure(Refusal(index: $0, reason: reason)) } }
            var results: [Result<Int, Refusal>] = []
            for index in indexes { results += try await write([index], of: findings, found) }
            return results
        }
    }

    /// The rows as the source has them: what it doesn't have is removed.
    private func batch(_ keys: [CanonicalKey], _ found: [CanonicalKey: SourceItem]) -> Batch {
        var parts = keys.compactMap { found[$0] }.map { item in
            Batch.Part(
                body: item.body,
                changes: [
                    Change(
                        kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: item.place,
                        newImage: item.place, oldImage: nil)
                ])
        }
        parts += Batch.sweep(keys.filter { found[$0] == nil }, of: table, FullSyncID(0)).parts
        return Batch(table: table, origin: .repair, parts: parts)
    }
}

/// Segments that wait for a reader.
private final class Line: Sendable {
    private let segments: Mutex<ArraySlice<Int>>

    init(_ segments: [Int]) { self.segments = Mutex(segments[...]) }

    func next() -> Int? { segments.withLock { $0.popFirst() } }
}
