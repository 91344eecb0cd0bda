package import StreamModel

/// What DescribeTable says, as far as it is needed.
package struct TableDescription: Hashable, Sendable {
    package let schema: TableSchema
    /// `nil` where the endpoint says nothing by which the table could be told from another one of its name.
    package let id: TableID?
    /// CREATING, ACTIVE, UPDATING, DELETING, …
    package let status: String
    /// The current stream, or the last one if it has been switched off (its records stay for 24 hours).
    package let stream: StreamARN?
    package let streamEnabled: Bool
    /// KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES.
    package let viewType: String?
    /// As of some hours ago: good for an estimate.
    package let itemCount: Int64
    package let tableSizeBytes: Int64
    /// Read capacity units a second; `nil` of a table that is billed on demand.
    package let provisionedReads: Double?
    /// As far as DescribeTable says it: without time to live and tags.
    package let design: TableDesign
    package let arn: String?
    /// The TableId alone, which no two tables have in common.
    package let uniqueID: String?
    /// As the endpoint says it: some say the current time.
    package let created: Timestamp?

    package init(
        schema: TableSchema, id: TableID? = nil, status: String, stream: StreamARN?, streamEnabled: Bool,
        viewType: String?,
        itemCount: Int64, tableSizeBytes: Int64, provisionedReads: Double? = nil, design: TableDesign = TableDesign(),
        arn: String? = nil, uniqueID: String? = nil, created: Timestamp? = nil
    ) {
        self.schema = schema
        self.id = id
        self.status = status
        self.stream = stream
        self.streamEnabled = streamEnabled
        self.viewType = viewType
        self.itemCount = itemCount
        self.tableSizeBytes = tableSizeBytes
        self.provisionedReads = provisionedReads
        self.design = design
        self.arn = arn
        self.uniqueID = uniqueID
        self.created = created
    }
}

/// What DescribeStream says, all its pages together.
package struct StreamDescription: Hashable, Sendable {
    /// ENABLING, ENABLED, DISABLING or DISABLED.
    package let status: String
    /// Whether it is still being enabled, and shows no shards yet.
    package var isEnabling: Bool { status == "ENABLING" }
    /// Whether it was switched off: it gets no records any more.
    package var isDisabled: Bool { status == "DISABLING" || status == "DISABLED" }
    package let viewType: String?
    /// Each once, in the order of the listing, which means nothing.
    package let shards: [Shard]

    package init(status: String, viewType: String?, shards: [Shard]) {
        self.status = status
        self.viewType = viewType
        self.shards = shards
    }
}
