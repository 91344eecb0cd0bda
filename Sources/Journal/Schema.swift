internal import LMDB
internal import StreamModel

/// The tables of the environment and their keys. docs/JOURNAL-FORMAT.md is this file in prose.
struct Schema: Sendable {
    static let format = "1"
    static let formatKey = Array("format".utf8)
    static let lastDaemonRunKey = Array("last_daemon_run".utf8)
    /// Every so many revisions of a shard get an entry in the index; the links between events do the rest.
    static let indexInterval: UInt64 = 32

    static let logName = "log"

    let meta: Table
    let log: Table
    let shards: Table
    let checkpoints: Table
    let tables: Table
    let index: Table

    /// Makes what is missing.
    init(creatingIn transaction: inout WriteTransaction) throws(LMDBError) {
        meta = try transaction.makeTable("meta")
        log = try transaction.makeTable(Self.logName)
        shards = try transaction.makeTable("shards")
        checkpoints = try transaction.makeTable("checkpoints")
        tables = try transaction.makeTable("tables")
        index = try transaction.makeTable("index")
    }

    /// `nil` if one is missing: this is no journal.
    init?(openingIn transaction: borrowing ReadTransaction) throws(LMDBError) {
        guard let meta = try transaction.table("meta"), let log = try transaction.table(Self.logName),
            let shards = try transaction.table("shards"), let checkpoints = try transaction.table("checkpoints"),
            let tables = try transaction.table("tables"), let index = try transaction.table("index")
        else { return nil }
        self.meta = meta
        self.log = log
        self.shards = shards
        self.checkpoints = checkpoints
        self.tables = tables
        self.index = index
    }

    static func key(_ position: Position) -> [UInt8] { bigEndian(position.number) }
    static func key(shard ordinal: UInt32) -> [UInt8] { bigEndian(ordinal) }
    static func key(_ table: TableName) -> [UInt8] { Array(table.text.utf8) }
    static func key(shard ordinal: UInt32, _ revision: Revision) -> [UInt8] {
        bigEndian(ordinal) + bigEndian(revision.number)
    }
    static func isIndexed(_ revision: Revision) -> Bool { revision.number % indexInterval == 1 }
    /// The first revision from `revision` on that the index wants.
    static func indexed(from revision: Revision) -> Revision {
        Revision((revision.number &+ indexInterval &- 2) / indexInterval * indexInterval &+ 1)
    }

    static func position(_ bytes: [UInt8]) -> Position? { position(bytes.span) }
    static func position(_ bytes: Span<UInt8>) -> Position? {
        guard bytes.count == 8 else { return nil }
        var number: UInt64 = 0
        for index in bytes.indices { number = number << 8 | UInt64(bytes[index]) }
        return Position(number)
    }
    /// The revision in a key of the index.
    static func revision(_ key: Span<UInt8>) -> Revision? {
        guard key.count == 12 else { return nil }
        return position(key.extracting(droppingFirst: 4)).map { Revision($0.number) }
    }
    static func ordinal(_ bytes: [UInt8]) -> UInt32? { ordinal(bytes.span) }
    /// The ordinal that a key begins with.
    static func ordinal(_ bytes: Span<UInt8>) -> UInt32? {
        guard bytes.count >= 4 else { return nil }
        var number: UInt32 = 0
        for index in 0..<4 { number = number << 8 | UInt32(bytes[index]) }
        return number
    }

    private static func bigEndian<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
        stride(from: T.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> T($0)) }
    }
}
