/// What can be read in a transaction of either kind.
package protocol Snapshot: ~Copyable {
    /// The transaction that made what a read transaction sees; for a write transaction, the one that it will be.
    var id: Int { get }

    borrowing func value(for key: [UInt8], in table: Table) throws(LMDBError) -> [UInt8]?

    borrowing func count(of table: Table) throws(LMDBError) -> Int

    /// The entry with the greatest key.
    borrowing func last(in table: Table) throws(LMDBError) -> (key: [UInt8], value: [UInt8])?

    /// The entry with the greatest key that is not above `key`.
    borrowing func floor(of key: [UInt8], in table: Table) throws(LMDBError) -> (key: [UInt8], value: [UInt8])?

    /// Lends each entry from `key` on (the first of all if `nil`) in order of the keys, until `body` says `false`.
    borrowing func forEach<E: StorageFailure>(
        in table: Table, from key: [UInt8]?, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws(E) -> Bool
    ) throws(E)
}
