internal import CLMDB
internal import Glibc
internal import Synchronization

/// One LMDB folder, open in this process: owns the handle, hands out transactions, grows the map.
///
/// Opened with `MDB_NOTLS`, so a read transaction belongs to its value and not to a thread. LMDB wants a folder opened once
/// in a process (lmdb.h, `mdb_env_open`); `shared` sees to that.
@safe package final class Environment: @unchecked Sendable {
    // Sendable: LMDB locks inside what threads share; the gate below keeps a resize apart from transactions, which lmdb.h
    // leaves to the caller (`mdb_env_set_mapsize`).
    let pointer: OpaquePointer
    private let gate: Gate
    /// LMDB has given up its map and got no other. Whatever it is asked from then on, it would answer from memory that is gone.
    private let isUnmapped = Atomic(false)
    package let path: String
    package let isReadOnly: Bool
    /// Whether it was opened without a slot in the lock file, which this user may not write to.
    package let isLockless: Bool

    package struct Options: Sendable {
        package var mapSize: Int
        package var readOnly: Bool
        /// Without a slot in the lock file, and without that file: of a copy that nobody writes to.
        package var lockless: Bool
        /// Of all processes together.
        package var maxReaders: Int
        package var maxTables: Int

        package init(
            mapSize: Int, readOnly: Bool = false, lockless: Bool = false, maxReaders: Int = 510, maxTables: Int = 16
        ) {
            self.mapSize = mapSize
            self.readOnly = readOnly
            self.lockless = lockless
            self.maxReaders = maxReaders
            self.maxTables = maxTables
        }
    }

    /// - Throws: an errno, or a code for which `isForeign` says that the file isn't LMDB's.
    package init(path: String, _ options: Options) throws(LMDBError) {
        let flags =
            UInt32(MDB_NOTLS) | (options.readOnly ? UInt32(MDB_RDONLY) : 0)
            | (options.lockless ? UInt32(MDB_NOLOCK) : 0)
        do throws(LMDBError) {
            unsafe pointer = try Self.open(path, options, flags)
            isLockless = options.lockless
        } catch {
            // A reader needs a slot in the lock file. LMDB goes without on a read-only file system by itself; on a file that
            // this user may not write to it is the caller who must know that nobody writes meanwhile.
            guard options.readOnly, error.code == EACCES else { throw error }
            unsafe pointer = try Self.open(path, options, flags | UInt32(MDB_NOLOCK))
            isLockless = true
        }
        gate = Gate()
        self.path = path
        isReadOnly = options.readOnly
    }

    /// One handle, one attempt: after a failure lmdb.h wants it closed (`mdb_env_open`).
    private static func open(_ path: String, _ options: Options, _ flags: UInt32) throws(LMDBError) -> OpaquePointer {
        var created: OpaquePointer?
        try LMDBError.check(unsafe mdb_env_create(&created), "mdb_env_create")
        guard let created = unsafe created else { throw LMDBError(code: ENOMEM, call: "mdb_env_create") }
        do throws(LMDBError) {
            try LMDBError.check(unsafe mdb_env_set_mapsize(created, options.mapSize), "mdb_env_set_mapsize")
            try LMDBError.check(
                unsafe mdb_env_set_maxreaders(created, UInt32(options.maxReaders)), "mdb_env_set_maxreaders")
            try LMDBError.check(unsafe mdb_env_set_maxdbs(created, UInt32(options.maxTables)), "mdb_env_set_maxdbs")
            try LMDBError.check(unsafe shake_lmdb_watch(created, path), "watch")
            let outer = unsafe shake_lmdb_enter(created)
            defer { unsafe shake_lmdb_leave(outer) }
            try LMDBError.check(unsafe mdb_env_open(created, path, flags, 0o600), "mdb_env_open")
        } catch {
            unsafe shake_lmdb_unwatch(created)
            unsafe mdb_env_close(created)
            throw error
        }
        return unsafe created
    }

    deinit {
        unsafe shake_lmdb_unwatch(pointer)
        unsafe mdb_env_close(pointer)
    }

    /// Frees the slots of readers whose process died; their snapshots would keep pages from being used again.
    package func clearDeadReaders() throws(LMDBError) -> Int {
        var dead: Int32 = 0
        try LMDBError.check(unsafe mdb_reader_check(pointer, &dead), "mdb_reader_check")
        return Int(dead)
    }

    /// A process that reads, and the transaction that it sees: the pages which that needs are not used again.
    ///
    /// Others write them, into a file that they may damage: a transaction may be any number.
    package struct Reader: Hashable, Sendable {
        package let pid: Int32
        package let transaction: Int
    }

    /// All that read at this moment, of all processes. A look at shared memory, and at no page.
    package func readers() throws(LMDBError) -> [Reader] {
        // As many as there can be (`Options.maxReaders`).
        var pids = [Int32](repeating: 0, count: 4096)
        var transactions = [UInt64](repeating: 0, count: pids.count)
        let count = unsafe shake_lmdb_readers(pointer, &pids, &transactions, pids.count)
        guard count >= 0 else { throw LMDBError(code: Int32(-count), call: "mdb_reader_list") }
        return zip(pids, transactions).prefix(min(count, pids.count)).map {
            Reader(pid: $0, transaction: Int(clamping: $1))
        }
    }

    /// The newest committed transaction of any process. A look at shared memory.
    package var lastTransaction: Int { unsafe facts.info.me_last_txnid }

    package var mapSize: Int { unsafe facts.info.me_mapsize }

    package var pageSize: Int { unsafe Int(facts.pageSize) }

    /// Bytes of the map that have ever been used.
    package var usedBytes: Int {
        let facts = unsafe facts
        return unsafe (facts.info.me_last_pgno + 1) * Int(facts.pageSize)
    }

    /// They are read from the map, which may not be exchanged meanwhile. May be asked for within a transaction: who waits to close
    /// the gate keeps nobody out who enters it once more (pthread_rwlockattr_setkind_np(3), `PTHREAD_RWLOCK_PREFER_READER_NP`).
    private var facts: (info: MDB_envinfo, pageSize: UInt32) {
        var (info, stat) = unsafe (MDB_envinfo(), MDB_stat())
        gate.enter()
        defer { gate.leave() }
        guard !isUnmapped.load(ordering: .relaxed) else { return unsafe (info, 0) }
        let outer = unsafe shake_lmdb_enter(pointer)
        defer { unsafe shake_lmdb_leave(outer) }
        unsafe mdb_env_info(pointer, &info)
        unsafe mdb_env_stat(pointer, &stat)
        return unsafe (info, stat.ms_psize)
    }

    /// Makes the map larger. Waits for this process's transactions to end; those of others go on.
    ///
    /// - Throws: where there is no room for it, which leaves the map as it was.
    package func grow(to size: Int) throws(LMDBError) {
        gate.close()
        defer { gate.open() }
        // LMDB gives up the old map before it asks for the new one, and has none where that is refused.
        try LMDBError.check(shake_lmdb_has_room(size), "mmap")
        try remap(size)
    }

    /// Takes over the size that another process has set.
    private func adoptSize() throws(LMDBError) {
        gate.close()
        defer { gate.open() }
        try remap(0)  // lmdb.h, `mdb_env_set_mapsize`
    }

    private func remap(_ size: Int) throws(LMDBError) {
        guard !isUnmapped.load(ordering: .relaxed) else {
            throw LMDBError(code: MDB_PANIC, call: "mdb_env_set_mapsize")
        }
        let outer = unsafe shake_lmdb_enter(pointer)
        defer { unsafe shake_lmdb_leave(outer) }
        let code = unsafe mdb_env_set_mapsize(pointer, size)
        if code != MDB_SUCCESS { isUnmapped.store(true, ordering: .relaxed) }
        try LMDBError.check(code, "mdb_env_set_mapsize")
    }

    /// Makes all durable that this file has been given by anybody, such as the last pages of a process that was killed.
    package func sync() throws(LMDBError) { try LMDBError.check(unsafe mdb_env_sync(pointer, 1), "mdb_env_sync") }

    /// Writes all that is committed now to an empty file, without the pages that are free: a data file like this one.
    ///
    /// Reads one snapshot for as long as that takes, which keeps pages from being used again meanwhile. Nothing is synced.
    package func copy(to file: Int32) throws(LMDBError) {
        var attempts = 0
        while true {
            gate.enter()
            let code: Int32
            if isUnmapped.load(ordering: .relaxed) {
                code = MDB_PANIC
            } else {
                let outer = unsafe shake_lmdb_enter(pointer)
                code = unsafe mdb_env_copyfd2(pointer, file, UInt32(MDB_CP_COMPACT))
                unsafe shake_lmdb_leave(outer)
            }
            gate.leave()
            // It begins its snapshot before it writes anything.
            attempts += 1
            guard code == MDB_MAP_RESIZED, attempts < Self.resizes else {
                return try LMDBError.check(code, "mdb_env_copyfd2")
            }
            try adoptSize()
        }
    }

    /// Runs `body` on a snapshot. `body` is synchronous and short: a snapshot that stays open keeps every page that is
    /// replaced meanwhile.
    package func read<R, E: StorageFailure>(_ body: (borrowing ReadTransaction) throws(E) -> R) throws(E) -> R {
        let transaction: ReadTransaction = try begin(raising: E.self) { () throws(LMDBError) in
            try ReadTransaction(in: self)
        }
        defer { gate.leave() }
        let outer = unsafe shake_lmdb_enter(pointer)
        defer { unsafe shake_lmdb_leave(outer) }
        return try body(transaction)
    }

    /// Commits when `body` returns, aborts when it throws; must not be nested. `body` is synchronous: a write transaction
    /// stays on one thread (lmdb.h, `mdb_txn_begin`), and an `await` could change threads. Waits for the writer of any other
    /// process.
    package func write<R, E: StorageFailure>(_ body: (inout WriteTransaction) throws(E) -> R) throws(E) -> R {
        var transaction: WriteTransaction = try begin(raising: E.self) { () throws(LMDBError) in
            try WriteTransaction(in: self)
        }
        defer { gate.leave() }
        let outer = unsafe shake_lmdb_enter(pointer)
        defer { unsafe shake_lmdb_leave(outer) }
        let result = try body(&transaction)
        do throws(LMDBError) { try transaction.commit() } catch { throw E(error) }
        return result
    }

    /// How often other processes may grow the map while one transaction begins.
    private static let resizes = 8

    /// Leaves the gate entered when it succeeds.
    private func begin<T: ~Copyable, E: StorageFailure>(
        raising: E.Type, _ make: () throws(LMDBError) -> T
    ) throws(E) -> T {
        var attempts = 0
        let outer = unsafe shake_lmdb_enter(pointer)
        defer { unsafe shake_lmdb_leave(outer) }
        while true {
            gate.enter()
            do throws(LMDBError) {
                guard !isUnmapped.load(ordering: .relaxed) else {
                    throw LMDBError(code: MDB_PANIC, call: "mdb_txn_begin")
                }
                return try make()
            } catch {
                gate.leave()
                // A size that can't be taken over, however often, is none that a process has set.
                attempts += 1
                guard error.isMapResized, attempts < Self.resizes else { throw E(error) }
                do throws(LMDBError) { try adoptSize() } catch { throw E(error) }
            }
        }
    }
}

/// Keeps a resize of the map apart from this process's transactions.
@safe private final class Gate: @unchecked Sendable {
    // Sendable: a lock is made to be shared; the pointer never changes.
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        unsafe lock = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_rwlock_t())
        unsafe pthread_rwlock_init(lock, nil)
    }

    deinit {
        unsafe pthread_rwlock_destroy(lock)
        unsafe lock.deallocate()
    }

    func enter() { unsafe pthread_rwlock_rdlock(lock) }
    func leave() { unsafe pthread_rwlock_unlock(lock) }
    func close() { unsafe pthread_rwlock_wrlock(lock) }
    func open() { unsafe pthread_rwlock_unlock(lock) }
}
