internal import CLMDB
internal import Glibc

/// What LMDB, or the system under it, answered.
package struct LMDBError: Error, Hashable, CustomStringConvertible {
    /// LMDB's own code (negative), or an errno.
    package let code: Int32
    /// The call that failed.
    package let call: String

    package init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    package var description: String { "\(call): \(unsafe String(cString: mdb_strerror(code)))" }

    package var isMapFull: Bool { code == MDB_MAP_FULL }
    package var isMapResized: Bool { code == MDB_MAP_RESIZED }
    package var isBadTransaction: Bool { code == MDB_BAD_TXN }
    package var isPanic: Bool { code == MDB_PANIC }
    package var isOutOfMemory: Bool { code == ENOMEM }
    package var isReadersFull: Bool { code == MDB_READERS_FULL }
    /// The file is LMDB's no more, or never was.
    package var isForeign: Bool { code == MDB_INVALID || code == MDB_VERSION_MISMATCH }
    package var isCorrupted: Bool {
        // A cursor has no more room where pages lead in a circle.
        isMapResized || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INCOMPATIBLE
            || code == MDB_CURSOR_FULL
    }

    static func check(_ code: Int32, _ call: String) throws(LMDBError) {
        guard code == MDB_SUCCESS else { throw LMDBError(code: code, call: call) }
    }
}

/// An error that storage can become where it is known what was being tried.
package protocol StorageFailure: Error {
    init(_ error: LMDBError)
}

extension LMDBError: StorageFailure {
    package init(_ error: LMDBError) { self = error }
}
