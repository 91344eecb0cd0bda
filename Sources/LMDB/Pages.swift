internal import CLMDB

/// What read and write transactions have in common. Bytes that leave are copied: LMDB's own are "valid only until a subsequent update operation, or the end of the transaction" (lmdb.h, `mdb_get`).
enum Pages {
    static func table(_ name: String, create: Bool, in transaction: OpaquePointer?) throws(LMDBError) -> Table? {
        var handle: MDB_dbi = 0
        let code = unsafe mdb_dbi_open(transaction, name, create ? UInt32(MDB_CREATE) : 0, &handle)
        if code == MDB_NOTFOUND, !create { return nil }
        try LMDBError.check(code, "mdb_dbi_open")
        return Table(handle: handle)
    }

    static func value(
        for key: [UInt8], in table: Table, _ transaction: OpaquePointer?
    ) throws(LMDBError) -> [UInt8]? {
        var found = unsafe MDB_val()
        let code = unsafe key.withUnsafeBufferPointer { key in
            var keyValue = unsafe MDB_val(
                mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
            return unsafe mdb_get(transaction, table.handle, &keyValue, &found)
        }
        if code == MDB_NOTFOUND { return nil }
        try LMDBError.check(code, "mdb_get")
        return try unsafe copy(found, "mdb_get")
    }

    static func count(of table: Table, _ transaction: OpaquePointer?) throws(LMDBError) -> Int {
        var stat = MDB_stat()
        try LMDBError.check(unsafe mdb_stat(transaction, table.handle, &stat), "mdb_stat")
        return stat.ms_entries
    }

    static func last(
        in table: Table, _ transaction: OpaquePointer?
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        let cursor = try unsafe Cursor(table, transaction)
        guard try cursor.move(MDB_LAST) else { return nil }
        return try unsafe (copy(cursor.key, "mdb_cursor_get"), copy(cursor.value, "mdb_cursor_get"))
    }

    static func floor(
        of key: [UInt8], in table: Table, _ transaction: OpaquePointer?
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        let cursor = try unsafe Cursor(table, transaction)
        if try cursor.seek(key) {
            let found = try unsafe copy(cursor.key, "mdb_cursor_get")
            if found == key { return try unsafe (found, copy(cursor.value, "mdb_cursor_get")) }
            guard try cursor.move(MDB_PREV) else { return nil }
        } else {
            guard try cursor.move(MDB_LAST) else { return nil }
        }
        return try unsafe (copy(cursor.key, "mdb_cursor_get"), copy(cursor.value, "mdb_cursor_get"))
    }

    static func forEach<E: StorageFailure>(
        in table: Table, from key: [UInt8]?, _ transaction: OpaquePointer?,
        _ body: (Span<UInt8>, Span<UInt8>) throws(E) -> Bool
    ) throws(E) {
        let cursor: Cursor
        var isAtEntry: Bool
        do throws(LMDBError) {
            cursor = try unsafe Cursor(table, transaction)
            isAtEntry = if let key { try cursor.seek(key) } else { try cursor.move(MDB_FIRST) }
        } catch {
            throw E(error)
        }
        while isAtEntry {
            do throws(LMDBError) {
                try unsafe check(cursor.key, "mdb_cursor_get")
                try unsafe check(cursor.value, "mdb_cursor_get")
            } catch {
                throw E(error)
            }
            let (key, value) = unsafe (lend(cursor.key), lend(cursor.value))
            guard try body(unsafe key.span, unsafe value.span) else { return }
            do throws(LMDBError) { isAtEntry = try cursor.move(MDB_NEXT) } catch { throw E(error) }
        }
    }

    private static func lend(_ value: MDB_val) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(
            start: value.mv_data?.assumingMemoryBound(to: UInt8.self), count: value.mv_data == nil ? 0 : value.mv_size)
    }

    /// More than anybody has ever put.
    private static let mostBytes = 256 << 20

    /// A page whose flags are damaged makes LMDB take what lies beside them for a length.
    private static func check(_ value: MDB_val, _ call: String) throws(LMDBError) {
        guard unsafe value.mv_size <= mostBytes else { throw LMDBError(code: MDB_CORRUPTED, call: call) }
    }

    private static func copy(_ value: MDB_val, _ call: String) throws(LMDBError) -> [UInt8] {
        try unsafe check(value, call)
        return unsafe [UInt8](UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }

    /// A cursor that ends with its owner, within its transaction.
    @safe private final class Cursor {
        private let pointer: OpaquePointer
        private(set) var key = unsafe MDB_val()
        private(set) var value = unsafe MDB_val()

        init(_ table: Table, _ transaction: OpaquePointer?) throws(LMDBError) {
            var opened: OpaquePointer?
            try LMDBError.check(unsafe mdb_cursor_open(transaction, table.handle, &opened), "mdb_cursor_open")
            guard let opened = unsafe opened else { throw LMDBError(code: MDB_PANIC, call: "mdb_cursor_open") }
            unsafe pointer = opened
        }

        deinit { unsafe mdb_cursor_close(pointer) }

        func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
            let code = unsafe mdb_cursor_get(pointer, &key, &value, operation)
            if code == MDB_NOTFOUND { return false }
            try LMDBError.check(code, "mdb_cursor_get")
            return true
        }

        func seek(_ from: [UInt8]) throws(LMDBError) -> Bool {
            let code = unsafe from.withUnsafeBufferPointer { bytes in
                unsafe key = MDB_val(
                    mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                return unsafe mdb_cursor_get(pointer, &key, &value, MDB_SET_RANGE)
            }
            if code == MDB_NOTFOUND { return false }
            try LMDBError.check(code, "mdb_cursor_get")
            return true
        }
    }
}
