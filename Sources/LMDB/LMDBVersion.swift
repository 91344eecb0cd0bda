internal import CLMDB

/// Which LMDB this process runs with; it may be another one than it was built with.
package enum LMDBVersion {
    /// As the library says it: `LMDB 0.9.31: (July 10, 2023)`.
    package static var text: String { unsafe String(cString: mdb_version(nil, nil, nil)) }
}
