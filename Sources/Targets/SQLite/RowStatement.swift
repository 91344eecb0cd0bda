internal import GRDB
internal import GRDBSQLite
internal import StreamModel

/// A prepared statement whose values are bound by SQLite's own functions, without GRDB's copies of them.
///
/// This is the one file that hands pointers to SQLite, and it is here for speed alone: through `StatementArguments` an
/// item is copied twice and read once more as UTF-8 (docs/TARGETS.md has the numbers). Why it is safe:
///
/// - The statement belongs to GRDB's cache, which outlives the database access that a `RowStatement` is made and used
///   in. It isn't `Sendable`, so it can't leave that access's thread.
/// - Short values are copied by SQLite as they are bound (SQLITE_TRANSIENT). Only an item is lent (SQLITE_STATIC), and
///   `run(item:of:at:)` takes it back before the closure that lends its bytes returns.
/// - Lengths are given, so a zero byte in a text is one byte of it and no end.
@safe struct RowStatement {
    private let statement: Statement
    private var pointer: OpaquePointer { unsafe statement.sqliteStatement }

    init(_ sql: String, in database: Database) throws { statement = try database.cachedStatement(sql: sql) }

    enum Kind { case text, blob }

    /// Sets the value at `index` (from 1), for all runs until it is set again.
    func bind(_ bytes: [UInt8]?, as kind: Kind, at index: Int) throws(DatabaseError) {
        let code =
            if let bytes {
                unsafe bytes.withUnsafeBytes { unsafe Self.bind(pointer, $0, kind, index, transient) }
            } else {
                unsafe sqlite3_bind_null(pointer, Int32(index))
            }
        if code != SQLITE_OK { throw lastError }
    }

    /// Runs once with the item at `range` of `body` as the value at `index`.
    func run(item range: ByteRange, of body: [UInt8], at index: Int) throws(DatabaseError) {
        precondition(range.range.upperBound <= body.count, "a place lies within the body that it came with")
        try unsafe body.withUnsafeBufferPointer { bytes throws(DatabaseError) in
            let item = unsafe UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range.range]))
            guard unsafe Self.bind(pointer, item, .text, index, nil) == SQLITE_OK else { throw lastError }
            defer { unsafe sqlite3_bind_null(pointer, Int32(index)) }
            try run()
        }
    }

    func run() throws(DatabaseError) {
        defer { unsafe sqlite3_reset(pointer) }
        guard unsafe sqlite3_step(pointer) == SQLITE_DONE else { throw lastError }
    }

    private static func bind(
        _ pointer: OpaquePointer, _ bytes: UnsafeRawBufferPointer, _ kind: Kind, _ index: Int,
        _ lifetime: sqlite3_destructor_type?
    ) -> Int32 {
        // A null pointer would be bound as NULL, and the buffer of an empty array may be one.
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            return switch kind {
            case .text: unsafe sqlite3_bind_text64(pointer, Int32(index), "", 0, transient, UInt8(SQLITE_UTF8))
            case .blob: unsafe sqlite3_bind_zeroblob(pointer, Int32(index), 0)
            }
        }
        let count = sqlite3_uint64(bytes.count)
        return switch kind {
        case .text:
            unsafe sqlite3_bind_text64(
                pointer, Int32(index), start.assumingMemoryBound(to: CChar.self), count, lifetime, UInt8(SQLITE_UTF8))
        case .blob: unsafe sqlite3_bind_blob64(pointer, Int32(index), start, count, lifetime)
        }
    }

    /// Of the call before; the next call on the connection may forget it.
    private var lastError: DatabaseError {
        let connection = unsafe sqlite3_db_handle(pointer)
        let message = unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) }
        return DatabaseError(
            resultCode: ResultCode(rawValue: unsafe sqlite3_extended_errcode(connection)), message: message,
            sql: statement.sql)
    }
}

/// SQLITE_TRANSIENT: "the content will likely change in the near future and SQLite should make its own private copy"
/// (sqlite.org/c3ref/c_static.html). A macro of a cast, so it isn't imported.
private var transient: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
