import Dispatcher
import DynamoDB
import Filter
import StreamModel
import Synchronization

/// DynamoDB as a test scripts it: tables, their shards, and what goes wrong with them.
final class FakeStream: StreamSource {
    enum Operation: Hashable, Sendable {
        case listTables, describeTable, enableStream, describeStream, children, iterator, records, scan
        /// What is left of a page's reply when it has named the next iterator. No call of its own.
        case restOfRecords
    }

    /// One call, as it came in.
    struct Call: Hashable, Sendable {
        let operation: Operation
        /// The shard, or the table where it is about no shard.
        let object: String
        /// Of `iterator`.
        var type: IteratorType?
        var number: SequenceNumber?
        /// Of `records`.
        var iterator: ShardIterator?
        /// Of `scan`.
        var segment: Int?
        var total: Int?
        var after: String?
    }

    private struct Fault {
        let operation: Operation
        let object: String?
        let error: DynamoDBError
        var times: Int
    }

    private struct Hold {
        let operation: Operation
        let object: String?
        let gate: Gate
    }

    private struct Cursor {
        let shard: String
        let index: Int
        let serial: Int
    }

    private struct State {
        var tables: [TableName: FakeTable] = [:]
        var shards: [String: FakeShard] = [:]
        var cursors: [ShardIterator: Cursor] = [:]
        var oldestLiving = 0
        var faults: [Fault] = []
        var holds: [Hold] = []
        var calls: [Call] = []
        var clockLead = Duration.zero
        var fuse = Fuse()

        mutating func issue(_ shard: String, at index: Int) -> ShardIterator {
            let serial = cursors.count
            let iterator = ShardIterator("\(shard)-\(index)-\(serial)")
            cursors[iterator] = Cursor(shard: shard, index: index, serial: serial)
            return iterator
        }
    }

    private let state = Mutex(State())
    private let load: Load

    /// This machine's clock runs ahead of the service's by as much as this is below zero.
    var clockLead: Duration { state.withLock { $0.clockLead } }
    func setClockLead(_ lead: Duration) { state.withLock { $0.clockLead = lead } }

    init(load: Load = Load()) {
        self.load = load
        add(FakeTable(Sample.table))
    }

    // MARK: - The script

    func add(_ table: FakeTable) { state.withLock { $0.tables[table.name] = table } }
    func add(_ shards: FakeShard...) { state.withLock { for shard in shards { $0.shards[shard.id] = shard } } }

    func change(_ shard: String, _ body: (inout FakeShard) -> Void) {
        state.withLock { state in
            guard var found = state.shards[shard] else { preconditionFailure("no shard \(shard)") }
            body(&found)
            state.shards[shard] = found
        }
    }

    func change(_ table: TableName, _ body: (inout FakeTable) -> Void) {
        state.withLock { state in
            guard var found = state.tables[table] else { preconditionFailure("no table \(table)") }
            body(&found)
            state.tables[table] = found
        }
    }

    func put(_ numbers: ClosedRange<Int>, in shard: String) { change(shard) { $0.put(numbers) } }
    func close(_ shard: String) { change(shard) { $0.isClosed = true } }
    /// The shard ages out, with all that it held.
    func remove(_ shard: String) { state.withLock { $0.shards[shard] = nil } }

    /// No iterator that was given so far is good any more.
    func expireIterators() { state.withLock { $0.oldestLiving = $0.cursors.count } }

    /// - Parameter object: the shard or table; `nil` is each.
    func fail(_ operation: Operation, of object: String? = nil, with error: DynamoDBError, times: Int = .max) {
        state.withLock { $0.faults.append(Fault(operation: operation, object: object, error: error, times: times)) }
    }

    /// Nothing fails any more.
    func heal() { state.withLock { $0.faults = [] } }

    /// Calls are held until the gate is opened.
    func hold(_ operation: Operation, of object: String? = nil) -> Gate {
        let gate = Gate()
        state.withLock { $0.holds.append(Hold(operation: operation, object: object, gate: gate)) }
        return gate
    }

    /// Lets go of whatever is held.
    func release() {
        let holds = state.withLock { state in
            defer { state.holds = [] }
            return state.holds
        }
        for hold in holds { hold.gate.open() }
    }

    func use(_ fuse: Fuse) { state.withLock { $0.fuse = fuse } }

    // MARK: - What was asked for

    var calls: [Call] { state.withLock { $0.calls } }

    func calls(_ operation: Operation, of object: String? = nil) -> [Call] {
        calls.filter { $0.operation == operation && (object == nil || $0.object == object) }
    }

    // MARK: - StreamSource

    func listTables() async throws(DynamoDBError) -> [TableName] {
        try await answer(Call(operation: .listTables, object: "")) { state in
            state.tables.values.filter { !$0.isDeleted }.map(\.name)
        }
    }

    func describeTable(_ name: TableName) async throws(DynamoDBError) -> TableDescription {
        try await answer(Call(operation: .describeTable, object: name.text)) { state throws(DynamoDBError) in
            guard let table = state.tables[name], !table.isDeleted else {
                throw .service(
                    code: "ResourceNotFoundException", message: "", status: 400, operation: "DescribeTable",
                    object: "table \(name)", requestID: nil)
            }
            let isStale = table.streamEnabled && table.staleDescriptions > 0
            if isStale { state.tables[name]?.staleDescriptions -= 1 }
            return TableDescription(
                schema: table.schema, id: table.id, status: table.status,
                stream: isStale ? table.olderStreams.last : table.stream,
                streamEnabled: table.streamEnabled && !isStale, viewType: table.viewType,
                itemCount: Int64(table.items.count), tableSizeBytes: 0)
        }
    }

    func enableStream(of name: TableName) async throws(DynamoDBError) {
        try await answer(Call(operation: .enableStream, object: name.text)) { state throws(DynamoDBError) in
            guard let table = state.tables[name], !table.isDeleted else { throw .named("ResourceNotFoundException") }
            guard !table.streamEnabled, table.status == "ACTIVE" else { throw .named("ResourceInUseException") }
            state.tables[name]?.enableStream()
        }
    }

    func table(_ name: TableName) -> FakeTable? { state.withLock { $0.tables[name] } }

    func describeStream(_ arn: StreamARN) async throws(DynamoDBError) -> StreamDescription {
        let shards = try await listing(.describeStream, of: arn, object: nil) { _ in true }
        let status = state.withLock { state in
            guard let table = state.tables.values.first(where: { $0.stream == arn }), table.streamEnabled,
                !table.isDeleted
            else {
                return "DISABLED"
            }
            guard table.enablingListings > 0 else { return "ENABLED" }
            state.tables[table.name]?.enablingListings -= 1
            return "ENABLING"
        }
        return StreamDescription(
            status: status, viewType: "NEW_AND_OLD_IMAGES", shards: status == "ENABLING" ? [] : shards)
    }

    func children(of shard: ShardID, in arn: StreamARN) async throws(DynamoDBError) -> [Shard] {
        try await listing(.children, of: arn, object: shard.text) { $0.parent == shard.text }
    }

    /// In the wrong order, since no order is promised.
    private func listing(
        _ operation: Operation, of arn: StreamARN, object: String?, _ isWanted: @Sendable (FakeShard) -> Bool
    ) async throws(DynamoDBError) -> [Shard] {
        let table = state.withLock { state in
            state.tables.values.first { $0.stream == arn || $0.olderStreams.contains(arn) }?.name
        }
        return try await answer(
            Call(operation: operation, object: object ?? table?.text ?? arn.text)
        ) { state throws(DynamoDBError) in
            guard table != nil else { throw .named("ResourceNotFoundException") }
            let shards = state.shards.values.filter { $0.stream == arn && $0.isListed && isWanted($0) }
            for shard in shards where shard.hiddenListings > 0 { state.shards[shard.id]?.hiddenListings -= 1 }
            return shards.filter { $0.hiddenListings == 0 }.sorted { $0.id > $1.id }.map(\.shard)
        }
    }

    func iterator(
        _ type: IteratorType, at number: SequenceNumber?, shard: ShardKey, onFailure: @escaping @Sendable () -> Void
    ) async throws(DynamoDBError) -> ShardIterator {
        let id = shard.shard.text
        return try await answer(
            Call(operation: .iterator, object: id, type: type, number: number), onFailure
        ) { state throws(DynamoDBError) in
            guard let found = state.shards[id] else { throw .named("ResourceNotFoundException") }
            guard (number != nil) == (type == .atSequenceNumber || type == .afterSequenceNumber) else {
                throw .named("ValidationException")
            }
            let index: Int =
                switch (type, number) {
                case (.latest, _): found.records.count
                case (_, _?) where found.ignoresNumbers: found.trimmed
                case (.atSequenceNumber, let number?): found.records.count { Sample.number($0.number) < number }
                case (.afterSequenceNumber, let number?): found.records.count { Sample.number($0.number) <= number }
                default: found.trimmed
                }
            guard index >= found.trimmed else { throw .named("TrimmedDataAccessException") }
            return state.issue(id, at: index)
        }
    }

    func rawRecords(
        at iterator: ShardIterator, limit: Int, onFailure: @escaping @Sendable () -> Void,
        onNext: @escaping @Sendable (ShardIterator, Int) -> Void
    ) async throws(DynamoDBError) -> RawPage {
        let shard = state.withLock { $0.cursors[iterator]?.shard }
        let weighed = load.fetching()
        let page = try await answer(
            Call(operation: .records, object: shard ?? "", iterator: iterator), onFailure
        ) { state throws(DynamoDBError) in
            guard let cursor = state.cursors[iterator], var shard = state.shards[cursor.shard] else {
                throw .named("ResourceNotFoundException")
            }
            guard cursor.serial >= state.oldestLiving else { throw .named("ExpiredIteratorException") }
            guard cursor.index >= shard.trimmed else { throw .named("TrimmedDataAccessException") }
            if shard.emptyPages > 0 {
                shard.emptyPages -= 1
                state.shards[cursor.shard] = shard
                return RawPage.made(of: [], weight: 0, next: state.issue(cursor.shard, at: cursor.index))
            }
            let records = shard.records[cursor.index...].prefix(min(limit, shard.pageSize))
            let isLast = shard.isClosed && records.endIndex == shard.records.endIndex
            return RawPage.made(
                of: records, weight: shard.weight,
                next: isLast ? nil : state.issue(cursor.shard, at: records.endIndex))
        }
        if let next = page.hintedNext {
            onNext(next, page.body.count)
            if isScripted(.restOfRecords) {
                try await answer(Call(operation: .restOfRecords, object: shard ?? "")) { _ in }
            }
        }
        weighed.arrived(page.body.count)
        return page
    }

    func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter?, limit: Int?, onFailure: @escaping @Sendable () -> Void
    ) async throws(DynamoDBError) -> ScanPage {
        let after = key.map { String(decoding: $0, as: UTF8.self) }
        return try await answer(
            Call(operation: .scan, object: table.name.text, segment: segment, total: totalSegments, after: after),
            onFailure
        ) { state throws(DynamoDBError) in
            guard let table = state.tables[table.name] else { throw .named("ResourceNotFoundException") }
            let items = table.items.indices.filter { $0 % totalSegments == segment }.map { table.items[$0] }
            let start = after.map { key in (items.firstIndex { ScanPage.key(of: $0) == key } ?? items.count) + 1 } ?? 0
            let found = items.dropFirst(start).prefix(table.scanPageSize)
            let isLast = found.endIndex >= items.count
            return ScanPage.made(of: found, isLast: isLast, weight: table.scanPageWeight) { item in
                let item = Array(item.utf8)
                return filter?.matches(item, item.indices) ?? true
            }
        }
    }

    private func isScripted(_ operation: Operation) -> Bool {
        state.withLock { state in
            state.faults.contains { $0.operation == operation } || state.holds.contains { $0.operation == operation }
        }
    }

    /// What each call goes through.
    private func answer<R: Sendable>(
        _ call: Call, _ onFailure: @Sendable () -> Void = {}, _ body: (inout State) throws(DynamoDBError) -> R
    ) async throws(DynamoDBError) -> R {
        let (gates, fuse) = state.withLock { state in
            state.calls.append(call)
            return (
                state.holds.filter { $0.operation == call.operation && $0.object ?? call.object == call.object },
                state.fuse
            )
        }
        for hold in gates { await hold.gate.pass() }
        if Task.isCancelled { throw .cancelled }
        guard await fuse.step() else { throw Self.dead }
        let result: Result<R, DynamoDBError> = state.withLock { state in
            let fault = state.faults.firstIndex {
                $0.operation == call.operation && $0.object ?? call.object == call.object && $0.times > 0
            }
            if let fault {
                state.faults[fault].times -= 1
                return .failure(state.faults[fault].error)
            }
            do throws(DynamoDBError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        guard await fuse.step() else { throw Self.dead }
        if case .failure = result { onFailure() }
        return try result.get()
    }

    private static let dead = DynamoDBError.unreachable(
        endpoint: "fake", operation: "any", reason: "the world has ended")
}
