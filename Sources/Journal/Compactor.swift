internal import LMDB
internal import StreamModel

/// Folds old advances together, and older events of shards that are over, a bounded part of the log at a time, each in a
/// transaction of its own.
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

        init(_ plans: [FoldPlan]) {
            position = plans.first?.end ?? .origin
            isLast = plans.allSatisfy(\.isLast)
            for fold in plans.flatMap(\.folds) {
                events += fold.events
                bytes += Int64(fold.saved)
            }
        }
    }

    /// Entries that one transaction looks at: some milliseconds of work, since appends wait for it.
    static let limit = 1024

    private let store: Store
    private let limit: Int
    private let now: Timestamp
    private let policy: FoldPolicy
    private var rule: FoldRule
    /// Where the last step ended, and the rule goes on; `nil` before the first.
    private var place: Position?
    /// Where a dry step has come to among older events.
    private var historyPlace: Position?

    init(_ store: Store, now: Timestamp, _ policy: FoldPolicy = FoldPolicy(), limit: Int = Compactor.limit) {
        self.store = store
        self.limit = limit
        self.now = now
        self.policy = policy
        rule = FoldRule(now: now, policy)
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
        let (store, place, historyPlace, limit, now, policy) = (store, place, historyPlace, limit, now, policy)
        let plans = try store.read { (snapshot) throws(JournalError) -> [FoldPlan] in
            let compacted = try store.compacted(snapshot)
            let advances = try FoldPlan(after: place ?? compacted.position, limit: limit, &rule, store, snapshot)
            guard advances.isLast else { return [advances] }
            let history = try FoldPlan(
                historyAfter: historyPlace ?? compacted.history, upTo: advances.end, limit: limit, now: now, policy,
                store, snapshot)
            return [advances, history]
        }
        (self.rule, self.place) = (rule, plans[0].end)
        if plans.count > 1 { self.historyPlace = plans[1].end }
        return Step(plans)
    }

    /// Once no old advances are left, what is older still is looked at too.
    private mutating func tryStep() throws(JournalError) -> Step {
        var rule = rule
        let (store, place, limit, now, policy) = (store, place, limit, now, policy)
        let plans = try store.environment.write { (transaction) throws(JournalError) -> [FoldPlan] in
            var compacted = try store.compacted(transaction)
            let before = compacted
            if compacted.position != place { rule.forget() }
            let advances = try FoldPlan(after: compacted.position, limit: limit, &rule, store, transaction)
            compacted.position = advances.end
            try Self.put(advances, &compacted, to: &transaction, store)
            var plans = [advances]
            if advances.isLast {
                let history = try FoldPlan(
                    historyAfter: compacted.history, upTo: compacted.position, limit: limit, now: now, policy,
                    store, transaction)
                compacted.history = history.end
                try Self.put(history, &compacted, to: &transaction, store)
                plans.append(history)
            }
            guard compacted != before else { return plans }
            let value = compacted.value
            try store.put { (schema) throws(LMDBError) in
                try transaction.put(value, for: Compacted.key, in: schema.meta)
            }
            return plans
        }
        (self.rule, self.place) = (rule, plans[0].end)
        return Step(plans)
    }

    private static func put(
        _ plan: FoldPlan, _ compacted: inout Compacted, to transaction: inout WriteTransaction, _ store: Store
    ) throws(JournalError) {
        compacted.add(plan)
        try store.put { (schema) throws(LMDBError) in
            for fold in plan.folds { try put(fold, to: &transaction, schema) }
        }
    }

    private static func put(
        _ fold: FoldPlan.Fold, to transaction: inout WriteTransaction, _ schema: Schema
    ) throws(LMDBError) {
        for position in fold.gone { try transaction.remove(Schema.key(position), in: schema.log) }
        try transaction.put(fold.value, for: Schema.key(fold.stretch.first), in: schema.log)
        for entry in fold.unindexed {
            try transaction.remove(Schema.key(shard: entry.shard, entry.revision), in: schema.index)
        }
    }
}
