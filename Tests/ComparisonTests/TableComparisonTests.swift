import Comparison
import Foundation
import StreamModel
import Synchronization
import Targets
import Testing

@Suite("A table that is compared with its copy")
struct TableComparisonTests {
    private static let items = Dictionary(uniqueKeysWithValues: (0..<100).map { ("k\($0)", $0) })

    /// What a comparison said and found.
    private final class Said: Sendable {
        let findings = Mutex<[Finding]>([])
        let repairs = Mutex<[(written: Int, removed: Int)]>([])

        var observer: TableComparison.Observer {
            TableComparison.Observer(
                found: { finding in self.findings.withLock { $0.append(finding) } },
                repaired: { written, removed in self.repairs.withLock { $0.append((written, removed)) } })
        }

        var all: [Finding] { findings.withLock { $0 } }
        var written: Int { repairs.withLock { $0.reduce(0) { $0 + $1.written } } }
        var removed: Int { repairs.withLock { $0.reduce(0) { $0 + $1.removed } } }

        /// The keys of each kind, in order.
        func keys(_ kind: Difference.Kind) -> [String] {
            findings.withLock { $0 }.filter { $0.difference.kind == kind }
                .map { String(decoding: $0.key.hash, as: UTF8.self) }.sorted()
        }
    }

    private static func plan(_ change: (inout ComparisonPlan) -> Void = { _ in }) -> ComparisonPlan {
        var plan = ComparisonPlan()
        plan.segments = 4
        plan.readers = 2
        change(&plan)
        return plan
    }

    private func compare(
        _ copies: Copies, _ plan: ComparisonPlan = plan(), notes: ComparisonNotes = ComparisonNotes(),
        said: Said = Said(), clock: LeapingClock = LeapingClock()
    ) async throws -> ComparisonCounts {
        try await TableComparison(
            Copies.table, source: copies, target: copies, plan: plan, notes: notes,
            surroundings: Surroundings(clock: clock), observer: said.observer
        ).run()
    }

    @Test("and is equal has no difference; each item was compared, and each row looked up")
    func equal() async throws {
        let counts = try await compare(Copies(source: Self.items, target: Self.items))
        #expect((counts.compared, counts.looked, counts.differences, counts.moving) == (100, 100, 0, 0))
    }

    @Test("shows what is missing, what is too much and what is different, each once")
    func differences() async throws {
        var target = Self.items
        target["k3"] = nil
        target["k99"] = nil
        target["k50"] = -1
        for extra in 0..<20 { target["x\(extra)"] = extra }
        let said = Said()
        let counts = try await compare(Copies(source: Self.items, target: target), said: said)
        #expect(said.keys(.missing) == ["k3", "k99"])
        #expect(said.keys(.different) == ["k50"])
        #expect(said.keys(.extra) == (0..<20).map { "x\($0)" }.sorted())
        #expect((counts.missing, counts.extra, counts.different, counts.remaining) == (2, 20, 1, 23))
        let attributes = said.all.compactMap { finding -> [[UInt8]]? in
            if case .different(let attributes) = finding.difference { attributes } else { nil }
        }
        #expect(attributes == [[Array("v".utf8)]])
    }

    @Test("whose changes are on their way has no difference")
    func inTransit() async throws {
        let clock = LeapingClock()
        let copies = Copies(source: Self.items, target: ["gone": 1]) { moment, state in
            if moment == .readsTarget, clock.now.offset >= .seconds(3) { state.target = state.source }
        }
        let said = Said()
        let counts = try await compare(copies, Self.plan(), said: said, clock: clock)
        #expect(counts.differences == 0)
        #expect(said.all.isEmpty)
        #expect(counts.moving == 0)
    }

    @Test("whose item changes at each look counts it as moving, and not as a difference")
    func moving() async throws {
        let copies = Copies(source: ["a": 0], target: ["a": -1]) { moment, state in
            if moment == .readsSource { state.source["a", default: 0] += 1 }
        }
        let counts = try await compare(copies)
        #expect((counts.moving, counts.differences) == (1, 0))
    }

    @Test("is asked again where the target was out of reach")
    func unavailable() async throws {
        let copies = Copies(source: Self.items, target: Self.items)
        copies.state.withLock {
            $0.failures = Array(repeating: .unavailable(target: "memory:", reason: "away"), count: 5)
        }
        #expect(try await compare(copies).differences == 0)
        copies.state.withLock {
            $0.failures = Array(repeating: .unavailable(target: "memory:", reason: "away"), count: 10_000)
        }
        await #expect(throws: ComparisonError.self) { try await compare(copies) }
    }

    @Test("by a sample is compared in a part, the same on both sides")
    func sampled() async throws {
        var target = Self.items
        for key in Self.items.keys { target[key] = -1 }
        let said = Said()
        let sample = Sample(share: 0.3)
        let counts = try await compare(
            Copies(source: Self.items, target: target), Self.plan { $0.sample = sample }, said: said)
        let expected = Self.items.keys.filter { sample.has(Copies.key($0)) }.sorted()
        #expect(said.keys(.different) == expected)
        #expect(counts.compared == UInt64(expected.count))
        #expect(counts.looked == UInt64(expected.count))
    }

    // MARK: Going on

    private func notes(_ path: String, restarts: Bool = false, share: Double = 1, at second: Int = 0) throws
        -> ComparisonNotes
    {
        try ComparisonNotes(
            path: path,
            of: ComparisonNotes.Subject(
                table: TableName("orders"), id: nil, target: "memory:", sample: Sample(share: share), segments: 4,
                filter: nil),
            restarts: restarts, now: Timestamp(microseconds: Int64(second) * 1_000_000))
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "shake-comparison-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder + "/orders.lines")
    }

    @Test("and was cut goes on where it was, and finds each difference once", arguments: [1, 3, 6, 9, 11])
    func resumed(after pages: Int) async throws {
        try await withFolder { path in
            var target = Self.items
            for key in ["k1", "k22", "k40", "k77"] { target[key] = -1 }
            target["x1"] = 1
            let said = Said()
            let copies = Copies(source: Self.items, target: target)
            copies.state.withLock { $0.scansLeft = pages }
            let first = try notes(path)
            await #expect(throws: ComparisonError.self) { try await compare(copies, Self.plan(), notes: first, said: said) }
            let before = copies.state.withLock { state in
                defer { (state.scans, state.scansLeft) = ([], nil) }
                return state.scans.count
            }
            let second = try notes(path, at: 3600)
            #expect(second.earlier.begun == Timestamp(microseconds: 0))
            let counts = try await compare(copies, Self.plan(), notes: second, said: said)
            #expect(counts.compared == 100)
            #expect(said.keys(.different) == ["k1", "k22", "k40", "k77"])
            #expect(said.keys(.extra) == ["x1"])
            #expect((counts.different, counts.extra) == (4, 1))
            let pages = copies.current.scans.count
            #expect(before + pages <= 12 + 2, "a page of each reader at most is read again")
            #expect(!FileManager.default.fileExists(atPath: path), "what is finished leaves no notes")
        }
    }

    @Test("begins again where the notes are of something else, too old, or told to be forgotten")
    func begunAgain() async throws {
        try await withFolder { path in
            func cut(_ notes: ComparisonNotes) async throws {
                let copies = Copies(source: Self.items, target: Self.items)
                copies.state.withLock { $0.scansLeft = 5 }
                await #expect(throws: ComparisonError.self) { try await compare(copies, notes: notes) }
            }
            try await cut(try notes(path))
            func earlier(_ notes: ComparisonNotes) async -> ComparisonNotes.Earlier {
                await notes.close()
                return notes.earlier
            }
            #expect(await earlier(try notes(path, at: 10)).counts.compared > 0)
            #expect(await earlier(try notes(path, share: 0.5, at: 10)).begun == nil)
            try await cut(try notes(path, at: 20))
            #expect(await earlier(try notes(path, at: 20 + 86_401)).begun == nil)
            try await cut(try notes(path, at: 100_000))
            #expect(await earlier(try notes(path, restarts: true, at: 100_001)).begun == nil)
        }
    }

    @Test("and whose notes end in the middle of a line goes on before it")
    func torn() async throws {
        try await withFolder { path in
            let copies = Copies(source: Self.items, target: Self.items)
            copies.state.withLock { $0.scansLeft = 5 }
            let first = try notes(path)
            await #expect(throws: ComparisonError.self) { try await compare(copies, notes: first) }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            try bytes.dropLast(9).write(to: URL(fileURLWithPath: path))
            copies.state.withLock { $0.scansLeft = nil }
            #expect(try await compare(copies, notes: notes(path)).differences == 0)
        }
    }

    @Test("beside another comparison of the table is refused, until that one has ended")
    func besideAnother() async throws {
        try await withFolder { path in
            let first = try notes(path)
            for restarts in [false, true] {
                let error = #expect(throws: ComparisonError.self) { try notes(path, restarts: restarts) }
                #expect(error?.description.contains("another comparison of it is under way") == true)
            }
            let copies = Copies(source: Self.items, target: Self.items)
            #expect(try await compare(copies, notes: first).compared == 100, "nothing of the first one's notes was lost")
            try await notes(path).close()
        }
    }

    // MARK: Putting right

    @Test("and put right is written where it differs, and nowhere else")
    func repaired() async throws {
        var target = Self.items
        target["k3"] = nil
        target["k50"] = -1
        target["x"] = 1
        let copies = Copies(source: Self.items, target: target)
        let said = Said()
        let counts = try await compare(copies, Self.plan { $0.repair = .write }, said: said)
        #expect((counts.differences, counts.repaired, counts.remaining) == (3, 3, 0))
        #expect(copies.current.target == Self.items)
        let written = copies.current.written
        #expect(written.allSatisfy { $0.origin == .repair })
        #expect(written.reduce(0) { $0 + $1.count } == 3)
        #expect(said.written == 2)
        #expect(said.removed == 1)
        #expect(said.all.allSatisfy { $0.outcome == .repaired })
    }

    @Test("and only said to be put right is left as it is")
    func dryRun() async throws {
        let copies = Copies(source: Self.items, target: [:])
        let counts = try await compare(copies, Self.plan { $0.repair = .dryRun })
        #expect((counts.missing, counts.repaired) == (100, 0))
        #expect(copies.current.written.isEmpty)
    }

    @Test("and put right while it changes ends as the source is: an older row that was written is written again")
    func repairedBesideChanges() async throws {
        // The source changes the item when it was read to be written: the daemon's own write comes first, and the repair's is stale.
        let changes = Mutex(0)
        let copies = Copies(source: ["a": 1], target: ["a": -1]) { moment, state in
            guard moment == .writes,
                changes.withLock({
                    $0 += 1
                    return $0
                }) <= 3
            else { return }
            state.source["a", default: 0] += 1
            state.target["a"] = state.source["a"]
        }
        let counts = try await compare(copies, Self.plan { $0.repair = .write })
        #expect(copies.current.target == ["a": 4])
        #expect((counts.repaired, counts.remaining) == (1, 0))
    }

    @Test("and has a row that the target can't hold names it, and puts the others right")
    func unwritable() async throws {
        let copies = Copies(source: Self.items, target: [:])
        copies.state.withLock { $0.unwritable = ["k7"] }
        let said = Said()
        let counts = try await compare(copies, Self.plan { $0.repair = .write }, said: said)
        #expect((counts.missing, counts.repaired, counts.remaining) == (100, 99, 1))
        let left = said.all.filter { $0.outcome != .repaired }
        #expect(left.map(\.key) == [Copies.key("k7")])
        #expect(left.map(\.outcome) == [.notRepaired("it is too odd")])
    }

    @Test("and larger than what may be suspected at once is compared to its end")
    func many() async throws {
        let source = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("k\($0)", $0) })
        let copies = Copies(source: source, target: [:])
        copies.state.withLock { $0.itemsAPage = 1000 }
        let counts = try await compare(copies)
        #expect(counts.missing == 10_000)
    }
}
