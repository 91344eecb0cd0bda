/// One change, as the stream keeps it.
package struct Record: Sendable {
    package let stream: Text
    package let shard: Text
    package let sequenceNumber: Text
    /// The key, in the form of the wire.
    package let keys: [UInt8]
    /// The item after the change, whatever the stream shows of it; `nil`: it was removed.
    package let newImage: [UInt8]?
    /// When, in microseconds since 1970.
    package let made: Int64
    /// What it counts of a page's megabyte.
    let size: Int
    /// As GetRecords gives it.
    package let json: [UInt8]
}
