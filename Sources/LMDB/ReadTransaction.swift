internal import CLMDB

/// A snapshot: one owner, ended once. It can't be copied, so it can't end twice.
@safe package struct ReadTransaction: ~Copyable, Snapshot {
    private let pointer: OpaquePointer

    init(in environment: Environment) throws(LMDBError) {
        var begun: OpaquePointer?
        try LMDBError.check(
            unsafe mdb_txn_begin(environment.pointer, nil, UInt32(MDB_RDONLY), &begun), "mdb_txn_begin")
        guard let begun = unsafe begun else { throw LMDBError(code: MDB_PANIC, call: "mdb_txn_begin") }
        unsafe pointer = begun
    }

    // Nothing is written; ending by commit keeps the handles of tables that were opened in it (lmdb.h, `mdb_dbi_open`).
    deinit { unsafe mdb_txn_commit(pointer) }

    package var id: Int { unsafe mdb_txn_id(pointer) }

    /// `nil` if there is no such table.
    package borrowing func table(_ name: String) throws(LMDBError) -> Table? {
        try unsafe Pages.table(name, create: false, in: pointer)
    }

    /// Pages within the file that no table has: what comes next is written there. Reads the list of them.
    package borrowing func freePages() throws(LMDBError) -> Int {
        // The first of LMDB's own two tables: of each transaction how many pages it gave up, and which (mdb.c, `FREE_DBI`).
        var count = 0
        try unsafe Pages.forEach(in: Table(handle: 0), from: nil, pointer) { (_, value) throws(LMDBError) in
            // Safe: any bytes are a number, and there are enough of them. Of a damaged list the sum is any number too.
            if value.count >= 8 { count &+= unsafe value.bytes.unsafeLoadUnaligned(as: Int.self) }
            return true
        }
        return count
    }

    package borrowing func value(for key: [UInt8], in table: Table) throws(LMDBError) -> [UInt8]? {
        try unsafe Pages.value(for: key, in: table, pointer)
    }

    package borrowing func count(of table: Table) throws(LMDBError) -> Int {
        try unsafe Pages.count(of: table, pointer)
    }

    package borrowing func last(in table: Table) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        try unsafe Pages.last(in: table, pointer)
    }

    package borrowing func floor(of key: [UInt8], in table: Table) throws(LMDBError) -> (key: [UInt8], value: [UInt8])?
    {
        try unsafe Pages.floor(of: key, in: table, pointer)
    }

    package borrowing func forEach<E: StorageFailure>(
        in table: Table, from key: [UInt8]? = nil, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws(E) -> Bool
    ) throws(E) {
        try unsafe Pages.forEach(in: table, from: key, pointer, body)
    }
}
