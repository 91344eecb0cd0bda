import StreamModel

/// A table as a test scripts it.
struct FakeTable: Sendable {
    let name: TableName
    var id: TableID? = TableID("the first of its name")
    var stream: StreamARN
    /// Streams that it had before, which can still be read.
    var olderStreams: [StreamARN] = []
    var streamEnabled = true
    var viewType = "NEW_AND_OLD_IMAGES"
    /// What it has once a stream is enabled; `nil`: the one that it has.
    var nextStream: StreamARN?
    /// How often one was enabled.
    private(set) var timesEnabled = 0
    /// So many descriptions show it without the stream that was enabled last.
    var staleDescriptions = 0
    /// So many listings of its stream show no shards, and that it is ENABLING.
    var enablingListings = 0
    var status = "ACTIVE"
    /// Its streams can still be read.
    var isDeleted = false
    /// What a scan finds, by key.
    var items: [String] = []
    var scanPageSize = 2
    /// Bytes of each page besides its items.
    var scanPageWeight = 0

    init(_ name: TableName) {
        self.name = name
        stream = Sample.stream(of: name)
    }

    mutating func enableStream() {
        if let nextStream {
            olderStreams.append(stream)
            stream = nextStream
        }
        (nextStream, streamEnabled) = (nil, true)
        timesEnabled += 1
    }

    var schema: TableSchema {
        TableSchema(name: name, hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil)
    }
}
