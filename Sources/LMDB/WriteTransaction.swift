internal import CLMDB

/// A write transaction: one owner, one thread, ended once.
@safe package struct WriteTransaction: ~Copyable, Snapshot {
    private var pointer: OpaquePointer?

    init(in environment: Environment) throws(LMDBError) {
        var begun: OpaquePointer?
        try LMDBError.check(unsafe mdb_txn_begin(environment.pointer, nil, 0, &begun), "mdb_txn_begin")
        unsafe pointer = begun
    }

    deinit { if let pointer = unsafe pointer { unsafe mdb_txn_abort(pointer) } }

    mutating func commit() throws(LMDBError) {
        let pointer = unsafe self.pointer.take()  // LMDB frees it in the next line; `deinit` must find nothing
        try LMDBError.check(unsafe mdb_txn_commit(pointer), "mdb_txn_commit")
    }

    package var id: Int { unsafe mdb_txn_id(pointer) }

    package mutating func makeTable(_ name: String) throws(LMDBError) -> Table {
        guard let table = try unsafe Pages.table(name, create: true, in: pointer) else {
            throw LMDBError(code: MDB_NOTFOUND, call: "mdb_dbi_open")
        }
        return table
    }

    /// Whether the environment is as it was made: without a table.
    package borrowing func hasNoTables() throws(LMDBError) -> Bool {
        var main: MDB_dbi = 0
        try LMDBError.check(unsafe mdb_dbi_open(pointer, nil, 0, &main), "mdb_dbi_open")
        return try unsafe Pages.count(of: Table(handle: main), pointer) == 0
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

    package mutating func put(_ value: [UInt8], for key: [UInt8], in table: Table) throws(LMDBError) {
        // Safe here and below: LMDB copies what it is lent.
        let code = unsafe key.withUnsafeBytes { key in
            unsafe value.withUnsafeBytes { value in unsafe put(value, for: key, in: table, 0) }
        }
        try LMDBError.check(code, "mdb_put")
    }

    /// Under a number's bytes, the big end first, so that LMDB's order is that of the numbers. Nothing is allocated.
    ///
    /// - Parameter appending: `number` is greater than every key of the table; LMDB then fills its pages to the brim.
    package mutating func put(
        _ value: Span<UInt8>, for number: some FixedWidthInteger, in table: Table, appending: Bool = false
    ) throws(LMDBError) {
        let code = unsafe withUnsafeBytes(of: number.bigEndian) { key in
            unsafe value.withUnsafeBytes { value in
                unsafe put(value, for: key, in: table, appending ? UInt32(MDB_APPEND) : 0)
            }
        }
        try LMDBError.check(code, "mdb_put")
    }

    private mutating func put(
        _ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: Table, _ flags: UInt32
    ) -> Int32 {
        var keyValue = unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
        var dataValue = unsafe MDB_val(
            mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
        return unsafe mdb_put(pointer, table.handle, &keyValue, &dataValue, flags)
    }

    package mutating func remove(_ key: [UInt8], in table: Table) throws(LMDBError) {
        let code = unsafe key.withUnsafeBufferPointer { key in
            var keyValue = unsafe MDB_val(
                mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
            return unsafe mdb_del(pointer, table.handle, &keyValue, nil)
        }
        guard code != MDB_NOTFOUND else { return }
        try LMDBError.check(code, "mdb_del")
    }
}
