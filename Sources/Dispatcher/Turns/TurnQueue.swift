internal import DequeModule
package import DynamoDB
internal import HeapModule
package import StreamModel

/// Which of the readers that wait may ask for a page next: a value, told the time.
///
/// Shards that are known to have more to give go before those where something came lately, and these before those where nothing
/// does. But of four calls one is kept for each of the latter two, so that none is kept waiting by others however many there are.
/// Among them the tables take turns, and a table's shards in the order in which they came. Who is to wait from some moment on
/// only sleeps until then.
package struct TurnQueue: Sendable {
    package enum Urgency: Int, CaseIterable, Sendable {
        /// There is more than the last page brought; or none has come yet, or others wait for the shard's end.
        case behind
        /// One of the last pages brought records.
        case lively
        case idle
    }

    /// Those of one urgency.
    private struct Line {
        /// Tables of which somebody waits, the next one first.
        var tables: Deque<TableName> = []
        var waiting: [TableName: Deque<Int>] = [:]

        mutating func add(_ id: Int, _ table: TableName) {
            waiting[table, default: []].append(id)
            if waiting[table]?.count == 1 { tables.append(table) }
        }

        /// The first of the next table that may call.
        mutating func take(where mayCall: (TableName) -> Bool) -> (id: Int, table: TableName)? {
            guard let index = tables.firstIndex(where: mayCall) else { return nil }
            let table = tables.remove(at: index)
            guard let id = waiting[table]?.popFirst() else {
                preconditionFailure("a table stands in line while somebody of it waits")
            }
            if waiting[table]?.isEmpty == true { waiting[table] = nil } else { tables.append(table) }
            return (id, table)
        }

        mutating func remove(_ id: Int, _ table: TableName) {
            guard let index = waiting[table]?.firstIndex(of: id) else { return }
            waiting[table]?.remove(at: index)
            guard waiting[table]?.isEmpty == true else { return }
            waiting[table] = nil
            tables.removeAll { $0 == table }
        }
    }

    /// Somebody who comes into line when it is due.
    private struct Sleeper: Comparable {
        let due: Duration
        let id: Int
        let table: TableName
        let urgency: Urgency

        static func < (a: Sleeper, b: Sleeper) -> Bool { (a.due, a.id) < (b.due, b.id) }
    }

    /// Whose each call is first of all; where none of them waits it is the most urgent one's.
    private static let wheel: [Urgency] = [.behind, .lively, .behind, .idle]
    /// Of so many calls one is for idle shards that wait.
    package static let round = wheel.count

    /// What the process may, and each table.
    private struct Allowance {
        var process: TokenBucket
        /// Of a table that has not called yet.
        let perTable: TokenBucket?
        var tables: [TableName: TokenBucket] = [:]

        func wait(of table: TableName, at now: Duration) -> Duration {
            max(process.wait(at: now), (tables[table] ?? perTable)?.wait(at: now) ?? .zero)
        }

        mutating func called(_ table: TableName, at now: Duration) {
            process.owe(at: now)
            guard let perTable else { return }
            tables[table, default: perTable].owe(at: now)
        }
    }

    private var allowance: Allowance
    private var lines = Urgency.allCases.map { _ in Line() }
    private var calls = 0
    private var sleepers = Heap<Sleeper>()
    /// Of these, who has not gone away.
    private var asleep: Set<Int> = []

    package init(_ limits: CallLimits) {
        allowance = Allowance(
            process: TokenBucket(perSecond: limits.getRecords),
            perTable: limits.getRecordsPerTable.map { TokenBucket(perSecond: $0) })
    }

    package var isEmpty: Bool { asleep.isEmpty && nobodyIsInLine }
    private var nobodyIsInLine: Bool { lines.allSatisfy(\.tables.isEmpty) }

    package mutating func add(_ id: Int, of table: TableName, _ urgency: Urgency) {
        lines[urgency.rawValue].add(id, table)
    }

    /// The same from `due` on.
    package mutating func add(_ id: Int, of table: TableName, _ urgency: Urgency, from due: Duration) {
        sleepers.insert(Sleeper(due: due, id: id, table: table, urgency: urgency))
        asleep.insert(id)
    }

    /// Puts those into line who are due.
    package mutating func rouse(at now: Duration) {
        while let first = sleepers.min, first.due <= now {
            sleepers.removeMin()
            guard asleep.remove(first.id) != nil else { continue }
            add(first.id, of: first.table, first.urgency)
        }
    }

    /// It doesn't wait any more.
    package mutating func remove(_ id: Int, of table: TableName, _ urgency: Urgency) {
        guard asleep.remove(id) == nil else { return }
        lines[urgency.rawValue].remove(id, table)
    }

    /// How long it is until one of those that wait may call, or is due; `nil` where nobody waits.
    package func wait(at now: Duration) -> Duration? {
        let free = allowance.process.wait(at: now)
        let due = asleep.isEmpty ? nil : sleepers.min.map { max($0.due - now, free) }
        guard allowance.perTable != nil else { return nobodyIsInLine ? due : free }
        let inLine = lines.flatMap(\.tables).map { allowance.wait(of: $0, at: now) }.min()
        guard let inLine, let due else { return inLine ?? due }
        return min(inLine, due)
    }

    /// Whether somebody of a table who has only just come may call, and passes nobody by who may.
    package func isFree(for table: TableName, at now: Duration) -> Bool {
        allowance.wait(of: table, at: now) == .zero && wait(at: now) != .zero
    }

    /// Sets down a call of the table's.
    package mutating func called(_ table: TableName, at now: Duration) { allowance.called(table, at: now) }

    /// Sets down a call that was made again, of whichever table.
    package mutating func calledAgain(at now: Duration) { allowance.process.owe(at: now) }

    /// Whose turn it is, set down as made; `nil` where nobody who waits may call yet.
    package mutating func next(at now: Duration) -> Int? {
        let first = Self.wheel[calls % Self.round]
        for urgency in [first] + Urgency.allCases.filter({ $0 != first }) {
            let taken = lines[urgency.rawValue].take { [allowance] in allowance.wait(of: $0, at: now) == .zero }
            guard let taken else { continue }
            calls += 1
            called(taken.table, at: now)
            return taken.id
        }
        return nil
    }
}
