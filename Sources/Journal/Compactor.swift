internal import LMDB
internal import StreamModel

/// Folds old advances together, a bounded stretch of the log at a time, each in a transaction of its own.
///
/// Every event that goes is checked against the chain first, and the chain's value at both ends stays. What is kept beside the
/// log is not touched: the fold of what is left is the same.
struct Compactor: Sendable {
    /// What one transaction did, or would do.
    struct Step: Hashable, Sendable {
        /// Up to there the log is as it will stay.
        var position: Position
        /// Events that went.
        var events: UInt64 = 0
        /// How much shorter the log is.
        var bytes: Int64 = 0
        /// Nothing old is left.
        var isLast = false

        init(_ plan: FoldPlan) {
            position = plan.end
            isLast = plan.isLast
            for fold in plan.folds {
                events += fold.events
                bytes += Int64(fold.saved)
            }
        }
    }

    /// Entries that one transaction looks at: some milliseconds of work, since appends wait for it.
    static let limit = 1024

    private let store: Store
    private let limit: Int
    private var rule: FoldRule
    /// Where the last step ended, and the rule goes on; `nil` before the first.
    private var place: Position?

    init(_ store: Store, now: Timestamp, limit: Int = Compactor.limit) {
        self.store = store
        self.limit = limit
        rule = FoldRule(now: now)
    }

    /// One transaction. Where it fails, nothing was changed.
    mutating func step() throws(JournalError) -> Step {
        while true {
            do throws(JournalError) {
                return try tryStep()
            } catch {
                guard case .storage(let storage) = error, storage.isMapFull else { throw store.commitError(error) }
                try store.growMap()
            }
        }
    }

    /// What a step would do, and nothing is written.
    mutating func dryStep() throws(JournalError) -> Step {
        var rule = rule
        let (store, place, limit) = (store, place, limit)
        let plan = try store.read { (snapshot) throws(JournalError) -> FoldPlan in
            let begin = if let place { place } else { try store.compacted(snapshot).position }
            return try FoldPlan(after: begin, limit: limit, &rule, store, snapshot)
        }
        (self.rule, self.place) = (rule, plan.end)
        return Step(plan)
    }

    private mutating func tryStep() throws(JournalError) -> Step {
        var rule = rule
        let (store, place, limit) = (store, place, limit)
        let plan = try store.environment.write { (transaction) throws(JournalError) -> FoldPlan in
            var compacted = try store.compacted(transaction)
            if compacted.position != place { rule.forget() }
            let plan = try FoldPlan(after: compacted.position, limit: limit, &rule, store, transaction)
            guard plan.end != compacted.position else { return plan }
            compacted.position = plan.end
            for fold in plan.folds {
                compacted.events += fold.events
                compacted.stretches += fold.isNew ? 1 : 0
                compacted.unindexed += UInt64(fold.unindexed.count)
            }
            try store.put { (schema) throws(LMDBError) in
                for fold in plan.folds { try Self.put(fold, to: &transaction, schema) }
                try transaction.put(compacted.value, for: Compacted.key, in: schema.meta)
            }
            return plan
        }
        (self.rule, self.place) = (rule, plan.end)
        return Step(plan)
    }

    private static func put(
        _ fold: FoldPlan.Fold, to transaction: inout WriteTransaction, _ schema: Schema
    ) throws(LMDBError) {
        for number in fold.first.number...fold.stretch.last.number where number != fold.stretch.first.number {
            try transaction.remove(Schema.key(Position(number)), in: schema.log)
        }
        try transaction.put(fold.value, for: Schema.key(fold.stretch.first), in: schema.log)
        for entry in fold.unindexed {
            try transaction.remove(Schema.key(shard: entry.shard, entry.revision), in: schema.index)
        }
    }
}
