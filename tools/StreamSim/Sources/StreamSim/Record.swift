/// One change, as the stream keeps it.
package struct Record: Sendable {
    package let stream: String
    package let shard: String
    package let sequenceNumber: String
    package let keys: [UInt8]
    /// `nil`: the item was removed.
    package let newImage: [UInt8]?
    /// When, in microseconds since 1970.
    package let made: Int64
    /// As GetRecords gives it.
    let json: [UInt8]
}
