internal import LMDB

/// Who reads the journal at a moment.
package struct ReaderCensus: Hashable, Sendable {
    package struct Reader: Hashable, Sendable {
        package let pid: Int32
        /// The transaction that it sees.
        package let transaction: Int

        package init(pid: Int32, transaction: Int) {
            self.pid = pid
            self.transaction = transaction
        }
    }

    /// Of this process and all others.
    package var readers: [Reader]
    /// The newest transaction.
    package var newest: Int
    /// Bytes of the file that were ever in use: it never gets shorter.
    package var usedBytes: Int
    /// Slots that processes have left that were killed while they read; they are free now.
    package var freed: Int

    package init(readers: [Reader], newest: Int, usedBytes: Int, freed: Int = 0) {
        self.readers = readers
        self.newest = newest
        self.usedBytes = usedBytes
        self.freed = freed
    }
}

extension Journal {
    /// Frees the slots of readers that were killed, and says who reads. Takes microseconds.
    ///
    /// A reader's pages are not used again while it reads, or, where it was killed, until its slot is freed: each commit then
    /// makes the file longer.
    package func tendReaders() throws(JournalError) -> ReaderCensus {
        guard !hasClosed else { throw .closed(path: path) }
        let environment = store.environment
        do throws(LMDBError) {
            let freed = environment.isReadOnly ? 0 : try environment.clearDeadReaders()
            return ReaderCensus(
                readers: try environment.readers().map { .init(pid: $0.pid, transaction: $0.transaction) },
                newest: environment.lastTransaction, usedBytes: environment.usedBytes, freed: freed)
        } catch {
            throw .storage(error)
        }
    }
}
