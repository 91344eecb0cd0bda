import Comparison
import DynamoDB
import Filter
import StreamModel
import Synchronization
import Targets

/// A source and a target in memory, which a test changes whenever something is read of them.
final class Copies: ComparedSource, Target {
    static let table = TableSchema(
        name: TableName("orders"), hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil)

    struct State: Sendable {
        /// Values by key.
        var source: [String: Int] = [:]
        var target: [String: Int] = [:]
        var scans: [(segment: Int, after: String?)] = []
        var lists = 0
        /// Keys that were looked up at the source.
        var looked: [String] = []
        var written: [Batch] = []
        var unwritable: Set<String> = []
        var failures: [TargetError] = []
        /// The source fails once so many pages were scanned.
        var scansLeft: Int?
        var itemsAPage = 10
    }

    enum Moment: Hashable, Sendable { case readsTarget, readsSource, writes }

    let state: Mutex<State>
    var current: State { state.withLock { $0 } }
    /// Called before each, with a state that it may change.
    private let before: @Sendable (Moment, inout State) -> Void

    init(
        source: [String: Int], target: [String: Int],
        before: @escaping @Sendable (Moment, inout State) -> Void = { _, _ in }
    ) {
        var state = State()
        state.source = source
        state.target = target
        self.state = Mutex(state)
        self.before = before
    }

    static func item(_ key: String, _ value: Int) -> [UInt8] {
        Array(#"{"id":{"S":"\#(key)"},"v":{"N":"\#(value)"}}"#.utf8)
    }

    static func key(_ text: String) -> CanonicalKey { CanonicalKey(hash: Array(text.utf8), range: nil) }
    private static func text(_ key: CanonicalKey) -> String { String(decoding: key.hash, as: UTF8.self) }

    private func page(_ items: [(key: String, value: Int)], last: String?) -> ScanPage {
        var body: [UInt8] = []
        let changes = items.map { key, value in
            let item = Self.item(key, value)
            let place = ByteRange(offset: UInt32(body.count), count: UInt32(item.count))
            body += item
            return Change(
                kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: place, newImage: place, oldImage: nil)
        }
        return ScanPage(
            body: body, changes: changes, lastEvaluatedKey: last.map { Array($0.utf8) },
            capacityUnits: Double(items.count))
    }

    // MARK: Source

    func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter?, limit: Int?
    ) async throws(DynamoDBError) -> ScanPage {
        let after = key.map { String(decoding: $0, as: UTF8.self) }
        let found: (items: [(key: String, value: Int)], isLast: Bool)? = state.withLock { state in
            if let left = state.scansLeft {
                guard left > 0 else { return nil }
                state.scansLeft = left - 1
            }
            state.scans.append((segment, after))
            let rest = state.source.filter { entry in
                Int(entry.key.utf8.reduce(0) { $0 + Int($1) }) % totalSegments == segment
                    && after.map { $0 < entry.key } ?? true
            }.sorted { $0.key < $1.key }
            return (rest.prefix(state.itemsAPage).map { ($0.key, $0.value) }, rest.count <= state.itemsAPage)
        }
        guard let found else {
            throw .unreachable(endpoint: "http://localhost", operation: "Scan", reason: "cut by the test")
        }
        return page(found.items, last: found.isLast ? nil : found.items.last?.key)
    }

    func items(
        under keys: [[UInt8]], of table: TableName, consistent: Bool
    ) async throws(DynamoDBError) -> [ScanPage] {
        let names = keys.map {
            String(String(decoding: $0, as: UTF8.self).dropFirst(#"{"id":{"S":""#.count).dropLast(3))
        }
        let found: [(key: String, value: Int)] = state.withLock { state in
            before(.readsSource, &state)
            state.looked += names
            return names.compactMap { name in state.source[name].map { (name, $0) } }
        }
        return [page(found, last: nil)]
    }

    // MARK: Target

    let name = "memory:"
    let storesPositions = false
    func takesOver(from earlier: String) -> Bool { true }
    func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {}
    func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    func survey(_ table: TableSchema) async throws(TargetError) -> Place { Place(object: "memory", contents: .filled) }
    func prepare(_ table: TableSchema) async throws(TargetError) {}
    func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }
    func close() async {}

    func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        state.withLock { state in
            state.lists += 1
            let after = key.map(Self.text)
            return state.target.keys.sorted().filter { name in after.map { $0 < name } ?? true }.prefix(min(limit, 7))
                .map(Self.key)
        }
    }

    func items(under keys: [CanonicalKey], of table: TableSchema) async throws(TargetError) -> [[UInt8]?]? {
        let result: Result<[[UInt8]?], TargetError> = state.withLock { state in
            if let failure = state.failures.popLast() { return .failure(failure) }
            before(.readsTarget, &state)
            return .success(
                keys.map { key in
                    let name = Self.text(key)
                    return state.target[name].map { Self.item(name, $0) }
                })
        }
        return try result.get()
    }

    func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let refused: TargetError? = state.withLock { state in
            before(.writes, &state)
            for batch in batches {
                let rows = batch.parts.flatMap { part in part.changes.map { (Self.row($0, part.body), $0) } }
                if let (row, change) = rows.first(where: { state.unwritable.contains($0.0.key) }) {
                    return .unwritable(target: name, what: row.key, reason: "it is too odd", change: change)
                }
                state.written.append(batch)
                for (row, _) in rows { state.target[row.key] = row.value }
            }
            return nil
        }
        if let refused { throw refused }
        return batches.map { _ in nil }
    }

    /// What a change leaves under its key; no value for a removal.
    private static func row(_ change: Change, _ body: [UInt8]) -> (key: String, value: Int?) {
        let parts = String(decoding: body[change.keys.range], as: UTF8.self).split(separator: "\"")
        return (String(parts[5]), change.newImage == nil ? nil : Int(parts[11]))
    }
}
