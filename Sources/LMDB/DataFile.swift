internal import CLMDB

/// What can be told of a data file without trusting it.
package enum DataFile {
    /// - Returns: the bytes that the newest meta page says are in use, or `nil` where there is no LMDB file of this machine's
    ///   word size and byte order; the file's length; and whether its first pages say what LMDB would stumble over.
    package static func used(_ path: String) -> (used: UInt64?, length: UInt64, isDamaged: Bool) {
        var (length, isDamaged): (UInt64, Int32) = (0, 0)
        let used = unsafe shake_lmdb_used_bytes(path, &length, &isDamaged)
        return (used == 0 ? nil : used, length, isDamaged != 0)
    }

    /// A line for standard output, should a damaged page end the process (status 65); for whoever reads results there.
    package static func say(onDamage line: String) { unsafe shake_lmdb_last_words(line) }

    /// As statfs(2) numbers it; 0 where that can't be told.
    package static func fileSystemMagic(of path: String) -> UInt32 { unsafe shake_file_system_magic(path) }
}
