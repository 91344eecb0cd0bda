import Journal
import Simdjson
import StreamModel
import Synchronization
import Targets

/// A target that keeps what it was given in the order in which it was, and does what a test tells it to.
final class RecordingTarget: Target {
    /// One batch that it holds.
    struct Applied: Hashable, Sendable {
        let table: TableName
        let origin: Batch.Origin
        /// The sequence numbers of its records.
        let numbers: [Int]
        /// Those of them that delete.
        let removed: [Int]
        /// What a scan found, by key.
        let items: [String]

        var shard: String? {
            if case .shard(let shard, _, _) = origin { shard.shard.text } else { nil }
        }

        var upTo: SequenceNumber? {
            if case .shard(_, _, let upTo) = origin { upTo } else { nil }
        }

        var epoch: UInt64? {
            if case .shard(_, let epoch, _) = origin { epoch.number } else { nil }
        }
    }

    /// What a backup of it would hold.
    struct Contents: Sendable {
        var applied: [Applied] = []
        var positions: [ShardKey: ShardPosition] = [:]
        var scanPositions: [TableName: [UInt32: SegmentPosition]] = [:]
        /// What is in it, by key.
        var rows: [TableName: Set<CanonicalKey>] = [:]
    }

    private struct State {
        var contents = Contents()
        var failures: [TargetError] = []
        var broken: [TableName: TargetError] = [:]
        var unfit: [TableName: String] = [:]
        var occupied: [TableName: String] = [:]
        var begun: [TableName] = []
        var unholdable: Set<String> = []
        var stopsBefore: Int?
        var brokenByGroups: TargetError?
        var forgetsTokens = false
        var parts: [[Int]] = []
        var gates: [(isMeant: @Sendable (Applied) -> Bool, gate: Gate)] = []
        var witness: @Sendable (Applied) throws -> Void = { _ in }
        var unwitnessed: [String] = []
        var tokens: [[TargetToken]] = []
        var attempts: [[Applied]] = []
        var isClosed = false
        var listsRows = false
        var fillsOn = false
        var silences: [TargetError] = []
        var fuse = Fuse()
    }

    let name = "recording:"
    let storesPositions: Bool
    var fillsOn: Bool { state.withLock { $0.fillsOn } }
    private let load: Load
    private let state = Mutex(State())

    init(storesPositions: Bool = false, load: Load = Load()) {
        self.storesPositions = storesPositions
        self.load = load
    }

    // MARK: - The script

    /// What lay in it before the journal began is to stay.
    func fillOn() { state.withLock { $0.fillsOn = true } }

    /// The next writes are refused, one for each error.
    func refuse(_ errors: [TargetError]) { state.withLock { $0.failures += errors } }

    /// Every write that brings something of `table` is refused, until it is mended.
    func breakDown(_ table: TableName, with error: TargetError) { state.withLock { $0.broken[table] = error } }
    /// Has no place for a table.
    /// Something lies in the table's place already, and is refused.
    func occupy(_ table: TableName, with reason: String?) { state.withLock { $0.occupied[table] = reason } }
    /// Tables of which the journal knew nothing, in order.
    var begun: [TableName] { state.withLock { $0.begun } }

    func refuse(_ table: TableName, because reason: String) { state.withLock { $0.unfit[table] = reason } }
    /// Can't hold these records, each for what it is; nor items of a scan that have such a key.
    func cannotHold(_ records: String...) { state.withLock { $0.unholdable = Set(records) } }
    /// Has no transactions: of each write it takes the records before the one of this number, and then fails.
    func stop(before number: Int) { state.withLock { $0.stopsBefore = number } }
    /// Every write that brings more than one batch fails like this.
    func breakAtGroups(with error: TargetError) { state.withLock { $0.brokenByGroups = error } }
    /// Can list its rows, of which it gives two at a time; and answers the next questions for them with these errors.
    func listRows(after errors: [TargetError] = []) {
        state.withLock { state in
            state.listsRows = true
            state.silences += errors
        }
    }
    /// Answers a write with no tokens at all, as no target may.
    func forgetTokens() { state.withLock { $0.forgetsTokens = true } }
    func mend() {
        state.withLock { state in
            state.stopsBefore = nil
            state.broken = [:]
            state.unholdable = []
        }
    }

    /// Writes that bring such a batch are held until the gate is opened.
    func hold(_ isMeant: @escaping @Sendable (Applied) -> Bool = { _ in true }) -> Gate {
        let gate = Gate()
        state.withLock { $0.gates.append((isMeant, gate)) }
        return gate
    }

    /// Lets go of whatever is held.
    func release() {
        let gates = state.withLock { state in
            defer { state.gates = [] }
            return state.gates
        }
        for gate in gates { gate.gate.open() }
    }

    /// Looks at each batch before it is written. What it throws is kept in `unwitnessed`.
    func witness(_ body: @escaping @Sendable (Applied) throws -> Void) { state.withLock { $0.witness = body } }

    func use(_ fuse: Fuse) { state.withLock { $0.fuse = fuse } }

    /// Holds what it held then, as from a backup.
    func restore(_ contents: Contents) { state.withLock { $0.contents = contents } }

    // MARK: - What it holds

    var contents: Contents { state.withLock { $0.contents } }
    var applied: [Applied] { contents.applied }
    var numbers: [Int] { applied.flatMap(\.numbers) }
    var removed: [Int] { applied.flatMap(\.removed) }
    func numbers(of shard: String) -> [Int] { applied.filter { $0.shard == shard }.flatMap(\.numbers) }
    func items(of table: TableName = Sample.table) -> [String] {
        applied.filter { $0.table == table }.flatMap(\.items)
    }
    /// The keys of its rows.
    func rows(of table: TableName = Sample.table) -> Set<String> {
        Set((contents.rows[table] ?? []).map { String(decoding: $0.hash, as: UTF8.self) })
    }
    /// The records that it took of writes that then failed.
    var parts: [[Int]] { state.withLock { $0.parts } }
    /// Every write that was tried, the refused ones included.
    var attempts: [[Applied]] { state.withLock { $0.attempts } }
    var unwitnessed: [String] { state.withLock { $0.unwitnessed } }
    /// What each opening was given.
    var tokens: [[TargetToken]] { state.withLock { $0.tokens } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    // MARK: - Target

    func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        state.withLock { state in
            state.tokens.append(tokens)
            state.isClosed = false
        }
    }

    func takesOver(from earlier: String) -> Bool { storesPositions }

    func survey(_ table: TableSchema) async throws(TargetError) -> Place { Place(object: "", contents: .empty) }
    func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }

    func begin(_ table: TableName) async throws(TargetError) -> String? {
        let reason = state.withLock { state in
            state.begun.append(table)
            return state.occupied[table]
        }
        if let reason { throw .misconfigured(target: name, reason: reason) }
        return nil
    }

    func prepare(_ table: TableSchema) async throws(TargetError) {
        if let reason = state.withLock({ $0.unfit[table.name] }) { throw .misconfigured(target: name, reason: reason) }
    }

    func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] {
        storesPositions ? contents.positions.values.filter { $0.shard.table == table } : []
    }

    func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] {
        storesPositions ? contents.scanPositions[table].map { Array($0.values) } ?? [] : []
    }

    func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        let (fuse, error) = state.withLock { state in
            (state.fuse, state.silences.isEmpty ? nil : state.silences.removeFirst())
        }
        guard await fuse.step() else { throw Self.dead }
        if let error { throw error }
        return state.withLock { state in
            guard state.listsRows else { return nil }
            let rows = (state.contents.rows[table.name] ?? []).sorted { $0.hash.lexicographicallyPrecedes($1.hash) }
            return Array(
                rows.drop { row in key.map { !$0.hash.lexicographicallyPrecedes(row.hash) } ?? false }.prefix(2))
        }
    }

    func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let brought = batches.map { Applied($0) }
        let (gates, witness, fuse) = state.withLock { state in
            state.attempts.append(brought)
            return (state.gates.filter { gate in brought.contains { gate.isMeant($0) } }, state.witness, state.fuse)
        }
        for batch in brought {
            do { try witness(batch) } catch { state.withLock { $0.unwitnessed.append("\(error)") } }
        }
        for gate in gates { await gate.gate.pass() }
        guard await fuse.step() else { throw Self.dead }
        let failure: TargetError? = state.withLock { state in
            if !state.failures.isEmpty { return state.failures.removeFirst() }
            if brought.count > 1, let error = state.brokenByGroups { return error }
            if let number = state.stopsBefore {
                let numbers = brought.flatMap(\.numbers)
                if let index = numbers.firstIndex(of: number) {
                    state.parts.append(Array(numbers[..<index]))
                    return .unavailable(target: name, reason: "it failed at record \(number)")
                }
            }
            let unholdable = state.unholdable
            if !unholdable.isEmpty, let change = batches.lazy.compactMap({ $0.first(of: unholdable) }).first {
                return .unwritable(target: name, what: "a record", reason: "it can't hold it", change: change)
            }
            return brought.compactMap { state.broken[$0.table] }.first
        }
        if let failure { throw failure }
        let tokens: [TargetToken?] = state.withLock { state in
            zip(batches, brought).map { batch, applied in
                state.contents.applied.append(applied)
                batch.apply(to: &state.contents.rows[applied.table, default: []])
                switch batch.origin {
                case .shard(let shard, let epoch, let upTo):
                    state.contents.positions[shard] = ShardPosition(shard: shard, epoch: epoch, sequenceNumber: upTo)
                case .scan(let position):
                    state.contents.scanPositions[applied.table, default: [:]][position.segment] = position
                case .sweep, .repair: break
                }
                return TargetToken("batch \(state.contents.applied.count)")
            }
        }
        load.written(batches.reduce(0) { $0 + $1.bytes })
        guard await fuse.step() else { throw Self.dead }
        return state.withLock { $0.forgetsTokens } ? [] : tokens
    }

    func close() async { state.withLock { $0.isClosed = true } }

    private static let dead = TargetError.unavailable(target: "recording:", reason: "the world has ended")
}

extension RecordingTarget.Applied {
    fileprivate init(_ batch: Batch) {
        table = batch.table.name
        origin = batch.origin
        let changes = batch.parts.flatMap(\.changes)
        numbers = changes.compactMap { $0.sequenceNumber.flatMap { Int($0.text) } }
        removed = changes.filter { $0.kind == .remove }.compactMap { $0.sequenceNumber.flatMap { Int($0.text) } }
        items = batch.parts.flatMap { part in
            part.changes.filter { $0.kind == .snapshot }.map {
                String(decoding: part.body[$0.keys.range], as: UTF8.self)
            }
        }
    }
}

extension Batch {
    /// Adds and removes what it says.
    fileprivate func apply(to rows: inout Set<CanonicalKey>) {
        var reader = KeyReader(table)
        for part in parts {
            for change in part.changes {
                guard let key = try? CanonicalKey(reader.key(in: change.keys, of: part.body)) else { continue }
                if change.kind == .remove { rows.remove(key) } else { rows.insert(key) }
            }
        }
    }

    /// The first change that is one of `records`, by its number or, of a scan, by what its item contains.
    fileprivate func first(of records: Set<String>) -> Change? {
        for part in parts {
            for change in part.changes {
                let item = String(decoding: part.body[change.keys.range], as: UTF8.self)
                let isMeant =
                    change.sequenceNumber.map { records.contains($0.text) } ?? records.contains { item.contains($0) }
                if isMeant { return change }
            }
        }
        return nil
    }
}
