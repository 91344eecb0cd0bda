internal import LMDB

/// How large a journal is.
package struct JournalFacts: Hashable, Sendable {
    /// Positions that were given.
    package let lastPosition: Position
    /// What lies in the log: events, and what is left of those that were folded.
    package let entries: Int
    package let shards: Int
    /// Bytes of the file that were ever in use.
    package let usedBytes: Int
    /// Of these, bytes that are free: what comes next is written there.
    package let freeBytes: Int

    /// What the journal holds.
    package var contentBytes: Int { usedBytes - freeBytes }
}

extension Journal {
    package func facts() throws(JournalError) -> JournalFacts {
        try store.read { (snapshot) throws(JournalError) in
            JournalFacts(
                lastPosition: try store.lastPosition(snapshot),
                entries: try store.count(of: store.schema.log, snapshot),
                shards: try store.count(of: store.schema.shards, snapshot),
                usedBytes: store.environment.usedBytes,
                freeBytes: try store.freeBytes(snapshot))
        }
    }
}
