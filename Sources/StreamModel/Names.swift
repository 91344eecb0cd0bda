/// A table's name, as the service gave it.
///
/// 3 to 255 characters of `[a-zA-Z0-9_.-]` (API Reference, CreateTable), so `String` equality is byte equality here.
package struct TableName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (a: TableName, b: TableName) -> Bool { a.text < b.text }
}

/// Which table has a name: one that is dropped and made again is another one, and what was copied of the first is not of it.
///
/// The service's `TableId` (API Reference, TableDescription), or when it was created where an endpoint gives none.
package struct TableID: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// The ARN of one stream of a table. A table that is dropped and made again, or whose stream is switched off and on,
/// has a new one: checkpoints belong to the ARN, never to the table's name alone (FACTS 1.6).
package struct StreamARN: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (a: StreamARN, b: StreamARN) -> Bool { a.text < b.text }

    /// The table's own ARN, with partition, region and account; `nil` where an emulator has another form.
    package var table: String? {
        guard text.hasPrefix("arn:"), let end = text.firstRange(of: "/stream/") else { return nil }
        return String(text[..<end.lowerBound])
    }
}

/// The id of a shard, unique within its stream. The time in it is a custom and no promise: never order by it.
package struct ShardID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (a: ShardID, b: ShardID) -> Bool { a.text < b.text }
}

/// One shard among all: what a checkpoint belongs to.
package struct ShardKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let table: TableName
    package let stream: StreamARN
    package let shard: ShardID

    package init(table: TableName, stream: StreamARN, shard: ShardID) {
        self.table = table
        self.stream = stream
        self.shard = shard
    }

    package var description: String { "\(table)/\(shard)" }

    /// By the id alone: it is as good as unique, and the names around it are a hundred bytes that every look-up would hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(shard) }

    package static func < (a: ShardKey, b: ShardKey) -> Bool {
        (a.table, a.stream, a.shard) < (b.table, b.stream, b.shard)
    }
}

/// DynamoDB's short-lived cursor into a shard: good for 15 minutes from when it was issued (GetShardIterator).
package struct ShardIterator: Hashable, Sendable, CustomStringConvertible {
    package let token: String
    package init(_ token: String) { self.token = token }
    package var description: String { token.count <= 24 ? token : "\(token.prefix(12))…\(token.suffix(8))" }
}

/// Where an iterator is asked for (GetShardIterator). There is no "at a time" for DynamoDB Streams.
package enum IteratorType: String, Hashable, CaseIterable, Sendable {
    case trimHorizon = "TRIM_HORIZON"
    case latest = "LATEST"
    case atSequenceNumber = "AT_SEQUENCE_NUMBER"
    case afterSequenceNumber = "AFTER_SEQUENCE_NUMBER"
}
