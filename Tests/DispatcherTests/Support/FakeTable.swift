import StreamModel

/// A table as a test scripts it.
struct FakeTable: Sendable {
    let name: TableName
    var id: TableID? = TableID("the first of its name")
    var stream: StreamARN
    /// Streams that it had before, which can still be read.
    var olderStreams: [StreamARN] = []
    var streamEnabled = true
    var status = "ACTIVE"
    /// Its streams can still be read.
    var isDeleted = false
    /// What a scan finds, by key.
    var items: [String] = []
    var scanPageSize = 2

    init(_ name: TableName) {
        self.name = name
        stream = Sample.stream(of: name)
    }

    var schema: TableSchema {
        TableSchema(name: name, hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil)
    }
}
