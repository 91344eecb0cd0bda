internal import Dispatch
internal import LMDB
internal import StreamModel

/// What the writer's thread holds and nobody else sees.
struct WriterThread: Sendable {
    private let store: Store
    /// `nil` after a transaction that failed: the next one loads the state anew.
    private var stage: Stage?
    /// The newest transaction whose events `state` has, or had.
    private(set) var transaction: Int
    /// Where the log ended then.
    private var last: Position
    private var run: RunID?
    /// To be appended before the first event of this run, where it is not yet.
    private var starting: RunStarted?
    private var foreign: Set<Subject> = []
    var hasNews: Bool { !foreign.isEmpty }
    private var failure: JournalError?
    /// Nanoseconds that the last commit took, the kept states included.
    private(set) var lastCommit: UInt64 = 0

    private let now: @Sendable () -> Timestamp
    private let committed: (@Sendable (_ nanoseconds: UInt64) -> Void)?

    init(
        store: Store, state: LogState, transaction: Int, run: RunStarted?,
        _ surroundings: Surroundings
    ) {
        self.store = store
        stage = Stage(state, run: nil)
        self.transaction = transaction
        last = state.last
        starting = run
        store.openShards.replace(by: state.open)
        now = surroundings.now
        committed = surroundings.committed
    }

    /// Writes the run's start, on whatever thread.
    mutating func begin() throws(JournalError) {
        while true {
            do throws(JournalError) {
                var nothing = JournalWriter.Batch()
                try tryAppend(&nothing) { _ in false }
                return
            } catch {
                guard case .storage(let storage) = error, storage.isMapFull else { throw error }
                try store.growMap()
            }
        }
    }

    /// One transaction for all; one answer for each. What conflicts or is refused fails alone.
    ///
    /// - Parameter gather: brings more requests while the transaction is open; `false` when there are none to wait for.
    mutating func append(_ batch: inout JournalWriter.Batch, gather: (inout JournalWriter.Batch) -> Bool) {
        while true {
            do throws(JournalError) {
                if let failure { throw failure }
                do throws(JournalError) {
                    return try tryAppend(&batch, gather)
                } catch {
                    guard case .storage(let storage) = error, storage.isMapFull else { throw error }
                    try store.growMap()
                }
            } catch {
                batch.results = batch.requests.map { _ in .failure(error) }
                return
            }
        }
    }

    private mutating func tryAppend(
        _ batch: inout JournalWriter.Batch, _ gather: (inout JournalWriter.Batch) -> Bool
    ) throws(JournalError) {
        batch.results.removeAll(keepingCapacity: true)
        var began = 0
        var committing: UInt64 = 0
        let (store, starting, known, held) = (store, starting, transaction, stage != nil)
        // A transaction that fails leaves no stage, and the next one loads the state anew.
        var stage = stage.take() ?? Stage(LogState(), run: run)
        var theirs: Set<Subject> = []
        var loaded: [UInt32]?
        let last = last
        do throws(JournalError) {
            try store.environment.write { (transaction) throws(JournalError) in
                began = transaction.id
                var isCurrent = held
                if held, began != known + 1 {
                    isCurrent = try store.endsAt(stage.state.last, stage.state.chain, transaction)
                }
                if !isCurrent {
                    let fresh = try store.state(transaction)
                    // Another process appended meanwhile: what it left is where this append goes on. (One that only folded
                    // old advances has changed nothing that is held here.)
                    if began != known + 1 { theirs = try store.subjects(after: last, transaction) }
                    stage = Stage(fresh, run: run)
                    loaded = fresh.open
                }
                stage.beginTransaction()
                let before = starting.map { _ in stage }
                if let starting { stage.start(starting, time: now()) }
                repeat {
                    let time = now()
                    for index in batch.results.count..<batch.requests.count {
                        try stage.recall(for: batch.requests[index].drafts, store, transaction)
                        batch.results.append(stage.admit(batch.requests[index].drafts, time: time))
                    }
                    // What a run came for decides whether it has begun: until then nothing is put.
                    if before == nil {
                        try store.put { (schema) throws(LMDBError) in try stage.putEvents(to: &transaction, schema) }
                    }
                } while gather(&batch)
                // Nothing of what this run came for can be written: it leaves no trace.
                if let before, !batch.results.isEmpty, batch.results.allSatisfy({ $0.isFailure }) { stage = before }
                committing = DispatchTime.now().uptimeNanoseconds
                try store.put { (schema) throws(LMDBError) in
                    try stage.putEvents(to: &transaction, schema)
                    try stage.putStates(to: &transaction, schema)
                }
            }
        } catch {
            throw commitError(error)
        }
        lastCommit = DispatchTime.now().uptimeNanoseconds - committing
        if let loaded { store.openShards.replace(by: loaded) }
        store.openShards.update(stage.changedStatuses)
        self.last = stage.state.last
        foreign.formUnion(theirs)
        run = stage.run
        if run != nil { self.starting = nil }
        // LMDB makes no transaction of one that wrote nothing, and its number goes to whoever writes next.
        transaction = stage.isEmpty ? began - 1 : began
        if !stage.isEmpty { committed?(lastCommit) }
        self.stage = stage
    }

    /// What other processes have appended to since this was last asked.
    mutating func foreignAppends() -> Result<Set<Subject>, JournalError> {
        if let failure { return .failure(failure) }
        do throws(JournalError) {
            if store.environment.lastTransaction != transaction {
                var snapshot = 0
                let (known, chain) = (last, stage?.state.chain)
                let news: (state: LogState, subjects: Set<Subject>)? = try store.read {
                    (transaction) throws(JournalError) in
                    snapshot = transaction.id
                    if let chain, try store.endsAt(known, chain, transaction) { return nil }
                    return (try store.state(transaction), try store.subjects(after: known, transaction))
                }
                if let news {
                    foreign.formUnion(news.subjects)
                    last = news.state.last
                    store.openShards.replace(by: news.state.open)
                    stage = Stage(news.state, run: run)
                }
                transaction = snapshot
            }
            defer { foreign = [] }
            return .success(foreign)
        } catch {
            return .failure(error)
        }
    }

    private mutating func commitError(_ error: JournalError) -> JournalError {
        if case .storage(let storage) = error, storage.isPanic { failure = .closed(path: store.path) }
        return store.commitError(error)
    }
}

extension Result {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
