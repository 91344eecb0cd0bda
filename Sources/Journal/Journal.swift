internal import LMDB
package import StreamModel
internal import Synchronization

/// The event-sourced checkpoint journal: every transition of every checkpoint, in one folder.
///
/// One daemon a journal; any number of readers and stewards (an operator's rewind) beside it. Appends go through one thread
/// and are durable when they return; reads are short snapshots that hold nobody up.
package final class Journal: Sendable {
    package enum Access: Sendable {
        /// Makes the journal where there is none, and holds it against a second daemon until the process ends.
        ///
        /// `takesOver` is asked where the journal was filled into another target than the run's: whether that one finds out
        /// by itself what it lacks. If not, the journal would claim for it what it does not hold.
        case daemon(RunStarted, takesOver: @Sendable (_ earlierTarget: String) -> Bool = { _ in true })
        /// An operator's command that writes beside a daemon. Its run begins with its first append.
        case steward(RunStarted)
        case reader
        /// Reads what nobody else has open, and leaves no trace in its folder: a backup, also on a network file system.
        case copy

        fileprivate var reads: Bool {
            switch self {
            case .daemon, .steward: false
            case .reader, .copy: true
            }
        }
        fileprivate var isCopy: Bool { if case .copy = self { true } else { false } }
    }

    /// Of its log and of what lies beside it (docs/JOURNAL-FORMAT.md).
    package static let format = Schema.format

    package let path: String
    let store: Store
    private let writer: (any Appending)?
    let surroundings: Surroundings
    /// Bytes of its file that have ever been used. A look at shared memory.
    package var usedBytes: Int { store.environment.usedBytes }
    let isInline: Bool
    private let lock: DaemonLock?
    private let isClosed = Atomic(false)
    private let asked = Atomic<UInt64>(0)
    private let answered = Atomic<UInt64>(0)
    var hasClosed: Bool { isClosed.load(ordering: .relaxed) }

    /// A map that LMDB takes no disk for until it is used; it doubles when it is full.
    package static let mapSize = 64 << 30
    /// The newest events whose chain is checked whenever a journal is opened: 16,384 take about 15 ms.
    private static let checkedAtOpen = 16_384

    /// What LMDB may leave unwritten at the file's end: pages that came and went within one transaction, of some megabytes.
    private static let mostUnwritten: UInt64 = 1 << 30

    /// Opens the journal in `path`. Blocks for as long as reading every checkpoint takes: O(shards), not O(events).
    ///
    /// - Parameter isInline: appends are made by whoever asks for them, in their turn and each in a transaction of its own:
    ///   for a run that is to be played again, step by step.
    /// - Throws: what keeps it from being opened, each with what to do; `.damaged` names a position.
    package static func open(
        _ path: String, _ access: Access, mapSize: Int = Journal.mapSize, surroundings: Surroundings = Surroundings(),
        isInline: Bool = false
    ) throws(JournalError) -> Journal {
        try Journal(path, access, mapSize: mapSize, surroundings, isInline: isInline)
    }

    private init(
        _ path: String, _ access: Access, mapSize: Int, _ surroundings: Surroundings, isInline: Bool
    ) throws(JournalError) {
        let isNew = try Self.inspect(path, access)
        self.path = path
        self.surroundings = surroundings
        self.isInline = isInline
        let file = path + "/data.mdb"
        switch access {
        case .daemon:
            if isNew, let reason = FileSystem.makeFolder(path) { throw .cannotCreate(path: path, reason: reason) }
            fallthrough
        case .steward:
            guard FileSystem.canWrite(path) else {
                throw .readOnly(path: path, reason: "the folder is not writable for this user")
            }
        case .reader, .copy: break
        }
        if !access.isCopy, let type = FileSystem.networkName(magic: DataFile.fileSystemMagic(of: path)) {
            throw .networkFileSystem(path: path, type: type)
        }
        // A daemon signs its lock only once there is a journal to lock: what is blank under an unsigned one was never more.
        let isSigned = DaemonLock.isSigned(path)
        if case .daemon = access, !isSigned, DaemonLock.exists(path) { FileSystem.emptyIfBlank(file) }
        let data = DataFile.used(file)
        if let used = data.used, used > data.length, used - data.length > Self.mostUnwritten {
            throw .damaged(
                path: path, position: nil,
                problem: "its first pages say that \(used) bytes are in use, and data.mdb has \(data.length)")
        }
        if data.isDamaged {
            throw .damaged(path: path, position: nil, problem: "the first pages of data.mdb can't be read")
        }
        if data.length > 0, data.used == nil {
            throw Self.foreign(path, "its data.mdb is no LMDB file of this kind of machine", isSigned: isSigned)
        }
        if data.length == 0, isSigned {
            throw .damaged(path: path, position: nil, problem: "data.mdb is empty or gone")
        }
        if case .daemon = access { lock = try DaemonLock(path) } else { lock = nil }

        // LMDB may leave the last pages of a transaction unwritten when they came and went within it, so a file that is short
        // is only suspect: then everything is read once, and a page that is missing shows.
        let isSuspect = data.used.map { data.length < $0 } ?? false
        // Nobody writes to it then: what is read here of the file stays so.
        if isSuspect, lock != nil || DaemonLock.holder(of: path) == nil {
            try Self.checkLength(file, data.length, path)
        }

        let environment: Environment
        let readOnly = access.reads
        do throws(LMDBError) {
            environment = try EnvironmentRegistry.open(
                path, mapSize: mapSize, readOnly: readOnly, isCopy: access.isCopy)
            if !environment.isReadOnly { _ = try environment.clearDeadReaders() }
            if !readOnly {
                // What a killed process left on its way to the disk is read like the rest. It must not be written over, nor
                // built upon, before it is there.
                try environment.sync()
            }
        } catch {
            if error.isForeign {
                throw Self.foreign(path, "its data.mdb is no LMDB file of this kind (\(error))", isSigned: isSigned)
            }
            let failure = Self.openError(error, path)
            if access.reads, case .readOnly(_, let reason) = failure {
                throw .unreadable(path: path, reason: reason)
            }
            throw failure
        }
        if environment.isReadOnly, !access.isCopy, !FileSystem.canWrite(path + "/lock.mdb"),
            let holder = DaemonLock.holder(of: path)
        {
            // Without a slot of its own a reader's pages may be written over while it reads them.
            throw .readOnly(
                path: path,
                reason: "\(holder.role == .daemon ? "a daemon" : "somebody") writes to it (\(holder)), and to read beside it "
                    + "takes a place in its lock.mdb")
        }
        if isNew {
            FileSystem.restrict(file)
            FileSystem.restrict(path + "/lock.mdb")
        }

        var mayCreate = false
        if case .daemon = access { mayCreate = !isSigned }
        store = try Self.openStore(environment, path, mayCreate: mayCreate, isSigned: isSigned)
        if mayCreate {
            for folder in [path, path + "/.."] {
                if let reason = FileSystem.syncFolder(folder) { throw .disk(path: folder, reason: reason) }
            }
        }
        var transaction = 0
        let store = store
        var earlierTarget = ""
        // Whoever writes must not build on what is wrong; a reader may still see what is right.
        let mayWrite = !readOnly
        if mayWrite { try store.checkPages(readsAll: false) }
        let state = try store.read { (snapshot) throws(JournalError) in
            transaction = snapshot.id
            var places: [Store.Place] = []
            let state = try store.state(snapshot, &places)
            if case .daemon = access { earlierTarget = try store.lastDaemonRun(snapshot)?.target ?? "" }
            try Verifier.checkTail(
                store, state, places, snapshot, count: UInt64(Self.checkedAtOpen), withKept: mayWrite)
            return state
        }
        if isSuspect { _ = try Verifier(store).verify { _ in } }
        switch access {
        case .daemon(let started, let takesOver):
            // What another program has brought no target can find out about.
            let isBound = state.claimsImports && !started.target.isEmpty
            if !earlierTarget.isEmpty, earlierTarget != started.target, state.claimsData,
                isBound || !takesOver(earlierTarget)
            {
                throw .otherTarget(path: path, filled: earlierTarget, asked: started.target)
            }
            try lock?.sign(by: started, as: .daemon, since: surroundings.now())
            var thread = WriterThread(
                store: store, state: state, transaction: transaction, run: started, surroundings)
            try thread.begin()
            writer = isInline ? InlineWriter(store: store, thread) : JournalWriter(store: store, thread)
        case .steward(let started):
            let thread = WriterThread(
                store: store, state: state, transaction: transaction, run: started, surroundings)
            writer = isInline ? InlineWriter(store: store, thread) : JournalWriter(store: store, thread)
        case .reader, .copy:
            writer = nil
        }
    }

    /// - Throws: `.damaged` with the first position that was cut off with the end of the file.
    private static func checkLength(_ file: String, _ length: UInt64, _ path: String) throws(JournalError) {
        let outcome: LogReach.Outcome
        do throws(LMDBError) { outcome = try LogReach.look(file, table: Schema.logName) } catch { return }
        guard case .cut(let key, let value) = outcome else { return }
        var last = Position(key)
        if case .folded(let stretch)? = WireFormat.decodeEntry(value.span) { last = stretch.last }
        throw .damaged(
            path: path, position: last.next,
            problem: "its file was cut: it ends after \(length) bytes, before what holds that event")
    }

    /// - Returns: whether a journal is to be made.
    private static func inspect(_ path: String, _ access: Access) throws(JournalError) -> Bool {
        switch FileSystem.kind(of: path) {
        case .missing, .emptyFolder:
            if case .daemon = access { return true }
            throw .noJournal(path: path)
        case .folder(let files):
            if files.contains("data.mdb") { return false }
            // What a daemon leaves that was killed between its first two steps.
            if files.isSubset(of: ["daemon.lock", "lock.mdb"]), case .daemon = access { return true }
            throw .notAJournal(path: path, why: "it has no data.mdb")
        case .other: throw .notAJournal(path: path, why: "it is a file, not a folder")
        case .unreadable(let reason): throw .unreadable(path: path, reason: reason)
        }
    }

    /// A file that isn't LMDB's: somebody else's, or, where a daemon has signed, what is left of a journal.
    private static func foreign(_ path: String, _ why: String, isSigned: Bool) -> JournalError {
        isSigned ? .damaged(path: path, position: nil, problem: why) : .notAJournal(path: path, why: why)
    }

    private static func openError(_ error: LMDBError, _ path: String) -> JournalError {
        if error.isForeign {
            return .notAJournal(path: path, why: "its data.mdb is no LMDB file of this kind (\(error))")
        }
        if error.isCorrupted {
            return .damaged(path: path, position: nil, problem: "its pages can't be read (\(error))")
        }
        switch error.code {
        case 13, 30, 1: return .readOnly(path: path, reason: "\(error)")  // EACCES, EROFS, EPERM
        case 5, 28, 122: return .disk(path: path, reason: "\(error)")  // EIO, ENOSPC, EDQUOT
        default: return .storage(error)
        }
    }

    /// - Parameter mayCreate: an environment without any table becomes a journal.
    private static func openStore(
        _ environment: Environment, _ path: String, mayCreate: Bool, isSigned: Bool
    ) throws(JournalError) -> Store {
        do throws(JournalError) {
            if mayCreate {
                try environment.write { (transaction) throws(JournalError) in
                    do throws(LMDBError) {
                        guard try transaction.hasNoTables() else { return }
                        let schema = try Schema(creatingIn: &transaction)
                        try transaction.put(Array(Schema.format.utf8), for: Schema.formatKey, in: schema.meta)
                    } catch {
                        throw .storage(error)
                    }
                }
            }
        } catch {
            guard case .storage(let storage) = error else { throw error }
            throw storage.isMapFull ? .mapFull(path: path, bytes: environment.mapSize) : openError(storage, path)
        }
        return try environment.read { (transaction) throws(JournalError) in
            let schema: Schema?
            let found: [UInt8]?
            do throws(LMDBError) {
                schema = try Schema(openingIn: transaction)
                found = if let schema { try transaction.value(for: Schema.formatKey, in: schema.meta) } else { nil }
            } catch {
                throw openError(error, path)
            }
            guard let schema, let found else {
                throw foreign(path, "its data.mdb holds other tables than a journal's", isSigned: isSigned)
            }
            let format = String(decoding: found, as: UTF8.self)
            guard format == Schema.format else {
                guard UInt(format).map({ $0 > 0 }) == true else {
                    throw .damaged(path: path, position: nil, problem: "its format is no number")
                }
                throw .newerFormat(path: path, found: format, known: Schema.format)
            }
            return Store(environment: environment, schema: schema, path: path)
        }
    }

    // MARK: - Writing

    /// Appends all of `drafts` in one durable transaction, or none of them. Appends that are asked for one after the other
    /// are logged in that order.
    ///
    /// - Returns: one receipt a draft, in order.
    /// - Throws: `.conflict` where a shard is at another revision than its draft expects, `.refused` for what can't follow,
    ///   `.disk` and the like, after which nothing of the append is in the journal.
    package func append(_ drafts: [Draft]) async throws(JournalError) -> [Receipt] {
        guard let writer, !isClosed.load(ordering: .relaxed) else { throw .closed(path: path) }
        await surroundings.passing(.beforeAppend)
        asked.add(1, ordering: .relaxed)
        defer { answered.add(1, ordering: .relaxed) }
        let receipts = try await writer.append(drafts)
        await surroundings.passing(.afterAppend)
        return receipts
    }

    /// How many appends were asked for, and how many of these were answered, well or not. Where there are more of the first, and
    /// the second stays as it is, the thread that writes hangs.
    package var appends: (asked: UInt64, answered: UInt64) {
        let answered = answered.load(ordering: .relaxed)
        return (max(answered, asked.load(ordering: .relaxed)), answered)
    }

    /// Shards and tables that another process has appended to since this was last asked; cheap where there are none.
    package func foreignAppends() async throws(JournalError) -> Set<Subject> {
        guard let writer, !isClosed.load(ordering: .relaxed) else { return [] }
        return try await writer.foreignAppends()
    }

    /// Says that the run ended, and why. A run that never says so was killed.
    package func close(reason: String) async {
        guard let writer, !isClosed.exchange(true, ordering: .relaxed) else { return }
        if lock != nil {
            // Nothing is left to tell it to: the journal is whole without.
            _ = try? await writer.append([Draft(run: .runStopped(RunStopped(reason: reason)))])
        }
        await writer.end()
    }

    /// Lets go of the journal as a kill does: what was not durable by now never will be, and nothing is said.
    package func abandon() async {
        guard let writer, !isClosed.exchange(true, ordering: .relaxed) else { return }
        await writer.end()
    }
}
