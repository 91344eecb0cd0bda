package import StreamModel

/// A store that is kept in step with the source.
///
/// The dispatcher writes through one `write` at a time and hands it whatever batches of all shards wait by then, so
/// a target that can make several durable at once (one transaction, one fsync) should.
package protocol Target: Sendable {
    /// As an operator may read it: the URL without secrets.
    var name: String { get }

    /// The file that it writes, with its folder; `nil` where that is none of this machine's.
    var localPath: String? { get }

    /// Whether `positions(of:)` and `scanPositions(of:)` are stored in the transaction of the data (DESIGN 4.5).
    var storesPositions: Bool { get }

    /// Whether a journal that was filled into the target of the name `earlier` may go on with this one: because it finds out
    /// what it lacks, by positions of its own or at `open(recoveringTo:)`. It is not asked about its own name.
    func takesOver(from earlier: String) -> Bool

    /// Makes the target ready to be written to, once, before anything else.
    ///
    /// - Parameter tokens: what the journal holds as durable. A target whose data would otherwise repeat (an
    ///   append-only file) cuts itself back to the furthest of them.
    /// - Throws: `.misconfigured` where it can't be what the journal says it was, with what to do.
    func open(recoveringTo tokens: [TargetToken]) async throws(TargetError)

    /// Whether it has a place for the table's items already; `true` where it can't tell.
    func hasPlace(for table: TableName) async throws(TargetError) -> Bool

    /// Looks at what lies in the table's place, whether the target is open or not, and changes nothing: what `begin` and `prepare`
    /// would refuse is said.
    func survey(_ table: TableSchema) async throws(TargetError) -> Place

    /// A table begins of which the journal knows nothing: what lies in its place is dealt with as the target was told to, before
    /// anything is written. Must be repeatable.
    ///
    /// - Returns: what was done, in words; `nil` where there was nothing to do.
    /// - Throws: `.misconfigured` where the target was told to refuse it, with what there is to choose from.
    func begin(_ table: TableName) async throws(TargetError) -> String?

    /// Whether rows that lay in a table's place before its journal began are to stay (`--existing append`).
    var fillsOn: Bool { get }

    /// Makes a place for a table's items where there is none. Must be repeatable.
    func prepare(_ table: TableSchema) async throws(TargetError)

    /// Whether it makes more of a table than its key asks for; only then it is asked by the second form.
    var copiesDesign: Bool { get }
    /// The same, with what else the source's table is.
    func prepare(_ table: TableSchema, like design: TableDesign) async throws(TargetError)

    /// What was left undone since this was last asked, in words: nothing that keeps items from being written.
    func takeRemarks() async -> [String]

    /// How far this target holds each shard of `table`; empty where it can't say.
    func positions(of table: TableName) async throws(TargetError) -> [ShardPosition]

    /// How far this target holds each segment of the last full sync of `table`; empty where it can't say.
    func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition]

    /// Some keys of the rows that it holds of a table: those behind `key` in an order of its own, from the first where there is
    /// none. None are left where none come. `nil` from a target that can't list them.
    ///
    /// Asked beside writes: what a write adds or removes meanwhile may be among them or not; every other row is, once.
    ///
    /// - Parameter limit: of the keys; fewer may come.
    func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]?

    /// Applies `batches` in order and returns when all of them are durable.
    ///
    /// Applying a batch again must leave the same items, except where `open(recoveringTo:)` cuts back instead.
    ///
    /// The caller journals the tokens in their order, and brings a shard's next batch only after its last one was
    /// journaled: so a target is at most one batch a shard ahead of the journal (DESIGN 7, invariant 4).
    ///
    /// - Returns: one token a batch, in order, for targets that have tokens; else `nil`s.
    /// - Throws: nothing of `batches` may count as applied. `.unavailable` may be tried again as it is.
    func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?]

    /// Opens it to be compared, and put right, beside a daemon that may have it open: nothing is cut back, and nobody shut out.
    func openBeside() async throws(TargetError)

    /// The items that it holds under `keys`, as DynamoDB's JSON, in the order of the keys; `nil` for one that it doesn't hold.
    /// `nil` for all from a target that keeps no state.
    ///
    /// - Throws: `.unwritable` for a row that can't be what was written.
    func items(under keys: [CanonicalKey], of table: TableSchema) async throws(TargetError) -> [[UInt8]?]?

    /// What `items` gives back of an item that is written: itself, save where the target was told to keep less (a documented format).
    func kept(_ item: [[UInt8]: AttributeValue]) -> [[UInt8]: AttributeValue]

    /// Lets go of files and connections. Everything written is durable before.
    func close() async
}

extension Target {
    package var localPath: String? { nil }

    /// For targets that keep no table apart from another.
    package func begin(_ table: TableName) async throws(TargetError) -> String? { nil }
    package var fillsOn: Bool { false }

    package var copiesDesign: Bool { false }
    package func prepare(_ table: TableSchema, like design: TableDesign) async throws(TargetError) {
        try await prepare(table)
    }
    package func takeRemarks() async -> [String] { [] }
    package func openBeside() async throws(TargetError) { try await open(recoveringTo: []) }
    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? { nil }
    package func kept(_ item: [[UInt8]: AttributeValue]) -> [[UInt8]: AttributeValue] { item }
}

/// The changes that one target write carries, all of one shard or of one segment of a scan.
package struct Batch: Sendable {
    package enum Origin: Hashable, Sendable {
        /// Changes of a shard; the last of them is at `upTo`, read in `epoch`.
        case shard(ShardKey, epoch: Epoch, upTo: SequenceNumber)
        /// Rows of a full scan, and how far its segment is with them, also where none is left: those whose keys the table's stream has
        /// changed since the scan began are not among them (DESIGN 4.4).
        case scan(SegmentPosition)
        /// Removals of rows that the source has no more, at the end of a full sync; those that the table's stream has changed since
        /// it began are not among them.
        case sweep(FullSyncID)
        /// Rows that a comparison found to differ, as the source has them; they move no position.
        case repair
    }

    /// Changes, and the body that their places lie in.
    package struct Part: Sendable {
        package let body: [UInt8]
        package let changes: [Change]

        package init(body: [UInt8], changes: [Change]) {
            self.body = body
            self.changes = changes
        }
    }

    package let table: TableSchema
    package let origin: Origin
    package let parts: [Part]

    package init(table: TableSchema, origin: Origin, parts: [Part]) {
        self.table = table
        self.origin = origin
        self.parts = parts
    }

    /// The same without one change: what a target refuses is put aside, and the rest goes on.
    package func without(_ change: Change) -> Batch {
        Batch(
            table: table, origin: origin,
            parts: parts.map { Part(body: $0.body, changes: $0.changes.filter { $0 != change }) })
    }

    /// Of the records here, those that come before `change` in `whole`, which this is left of; `nil` where none does.
    ///
    /// Only changes of a shard have an end that is a number: rows of a scan can't be cut.
    package func cut(before change: Change, of whole: Batch) -> Batch? {
        guard case .shard(let shard, let epoch, _) = origin, let number = change.sequenceNumber,
            let last = whole.parts.lazy.flatMap(\.changes).compactMap(\.sequenceNumber).last(where: { $0 < number })
        else { return nil }
        let kept = parts.map { part in
            Part(body: part.body, changes: part.changes.filter { $0.sequenceNumber.map { $0 <= last } ?? false })
        }
        return Batch(table: table, origin: .shard(shard, epoch: epoch, upTo: last), parts: kept)
    }

    package var count: Int { parts.reduce(0) { $0 + $1.changes.count } }
    package var bytes: Int { parts.reduce(0) { $0 + $1.body.count } }
}
