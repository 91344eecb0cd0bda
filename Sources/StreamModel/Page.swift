/// Bytes within a page's body: an offset and a count, so that a record costs no copy of its images.
package struct ByteRange: Hashable, Sendable {
    package let offset: UInt32
    package let count: UInt32

    package init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }

    package var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
}

/// One change to one item, as places within the body that it arrived in.
package struct Change: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case insert = "INSERT"
        case modify = "MODIFY"
        case remove = "REMOVE"
        /// A row of a full scan; it has no sequence number.
        case snapshot = "SNAPSHOT"
    }

    package let kind: Kind
    /// `nil` for a snapshot only.
    package let sequenceNumber: SequenceNumber?
    /// When the service says that the item changed, to the second. Good for lag, not for order.
    package let approximateTime: Timestamp?
    /// A JSON object that holds the key attributes. For a snapshot it is the whole item.
    package let keys: ByteRange
    /// The item after the change, as a JSON object of attribute values; absent for `remove`.
    package let newImage: ByteRange?
    package let oldImage: ByteRange?

    package init(
        kind: Kind, sequenceNumber: SequenceNumber?, approximateTime: Timestamp?, keys: ByteRange,
        newImage: ByteRange?, oldImage: ByteRange?
    ) {
        self.kind = kind
        self.sequenceNumber = sequenceNumber
        self.approximateTime = approximateTime
        self.keys = keys
        self.newImage = newImage
        self.oldImage = oldImage
    }
}

/// What one GetRecords call returned: at most 1000 records and 1 MB, before JSON's own growth.
package struct Page: Sendable {
    /// The reply as it arrived.
    package let body: [UInt8]
    package let changes: [Change]
    /// Absent: the shard is closed, and this page was its last (its changes count all the same).
    package let next: ShardIterator?

    package init(body: [UInt8], changes: [Change], next: ShardIterator?) {
        self.body = body
        self.changes = changes
        self.next = next
    }
}

/// What one Scan call returned.
package struct ScanPage: Sendable {
    /// The reply as it arrived.
    package let body: [UInt8]
    /// Snapshots.
    package let changes: [Change]
    /// The key to go on from, as the JSON that arrived; absent at the segment's end, and only there.
    package let lastEvaluatedKey: [UInt8]?
    /// Read capacity units that the call consumed; `nil` where the endpoint doesn't say.
    package let capacityUnits: Double?

    package init(body: [UInt8], changes: [Change], lastEvaluatedKey: [UInt8]?, capacityUnits: Double? = nil) {
        self.body = body
        self.changes = changes
        self.lastEvaluatedKey = lastEvaluatedKey
        self.capacityUnits = capacityUnits
    }
}
