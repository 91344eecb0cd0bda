internal import Dispatch
internal import Glibc
internal import LMDB
internal import StreamModel

/// What the writer's thread holds and nobody else sees.
struct WriterThread: Sendable {
    private let store: Store
    /// `nil` after a transaction that failed: the next one loads the state anew.
    private var stage: Stage?
    /// The newest transaction whose events `state` has, or had.
    private(set) var transaction: Int
    private var run: RunID?
    /// To be appended before the first event of this run, where it is not yet.
    private var starting: RunStarted?
    private var foreign: Set<Subject> = []
    var hasNews: Bool { !foreign.isEmpty }
    private var failure: JournalError?
    /// Nanoseconds that the last commit took, the kept states included.
    private(set) var lastCommit: UInt64 = 0

    private let now: @Sendable () -> Timestamp

    init(
        store: Store, state: LogState, transaction: Int, run: RunStarted?,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        stage = Stage(state, run: nil)
        self.transaction = transaction
        starting = run
        self.now = now
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
                try growMap()
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
                    try growMap()
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
        do throws(JournalError) {
            try store.environment.write { (transaction) throws(JournalError) in
                began = transaction.id
                if began != known + 1 || !held {
                    let fresh = try store.state(transaction)
                    // Another process committed meanwhile: what it left is where this append goes on.
                    if began != known + 1 { theirs = fresh.differences(from: stage.state) }
                    stage = Stage(fresh, run: run)
                }
                stage.beginTransaction()
                let before = starting.map { _ in stage }
                if let starting { stage.start(starting, time: now()) }
                repeat {
                    let time = now()
                    for index in batch.results.count..<batch.requests.count {
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
        foreign.formUnion(theirs)
        run = stage.run
        if run != nil { self.starting = nil }
        // LMDB makes no transaction of one that wrote nothing, and its number goes to whoever writes next.
        transaction = stage.isEmpty ? began - 1 : began
        self.stage = stage
    }

    /// What other processes have appended to since this was last asked.
    mutating func foreignAppends() -> Result<Set<Subject>, JournalError> {
        if let failure { return .failure(failure) }
        do throws(JournalError) {
            if store.environment.lastTransaction != transaction {
                var snapshot = 0
                let fresh = try store.read { (transaction) throws(JournalError) in
                    snapshot = transaction.id
                    return try store.state(transaction)
                }
                // Without a state of its own to compare with, every shard may have changed.
                foreign.formUnion(fresh.differences(from: stage?.state ?? LogState()))
                stage = Stage(fresh, run: run)
                transaction = snapshot
            }
            defer { foreign = [] }
            return .success(foreign)
        } catch {
            return .failure(error)
        }
    }

    private mutating func growMap() throws(JournalError) {
        let size = store.environment.mapSize
        let (doubled, overflows) = size.multipliedReportingOverflow(by: 2)
        guard !overflows, doubled <= 1 << 46 else { throw .mapFull(path: store.path, bytes: size) }
        do throws(LMDBError) { try store.environment.grow(to: doubled) } catch {
            throw .mapFull(path: store.path, bytes: size)
        }
    }

    private mutating func commitError(_ error: JournalError) -> JournalError {
        guard case .storage(let storage) = error else { return error }
        if storage.isMapFull { return error }
        if storage.isPanic { failure = .closed(path: store.path) }
        if storage.isCorrupted || storage.isForeign { return store.translated(error) }
        switch storage.code {
        case EINVAL:
            // What is written here is LMDB's own; only a page that lies leads it to a place that no file has.
            return store.damaged(nil, "a page can't be written where another says that it belongs (\(storage))")
        case EIO, ENOSPC, EDQUOT, EFBIG:
            return .disk(path: store.path, reason: "\(storage) (a full disk shows like this too)")
        case EROFS, EACCES, EPERM:
            return .readOnly(path: store.path, reason: "\(storage)")
        default: return error
        }
    }
}

extension Result {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
