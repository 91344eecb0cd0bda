package import Journal
package import StreamModel

/// What becomes of a table of NimoShake's: where each of its shards goes on, or why the table has to be copied in full.
///
/// Decided from what was read alone, without a clock's or a source's help. A table is taken over whole or not at all: a shard
/// whose place nobody knows would leave a gap that nobody sees.
package struct NimoShakeOutlook: Hashable, Sendable {
    package let table: TableName
    /// `nil`: it can't be gone on with.
    package let imported: ImportedTable?
    package let remarks: [Remark]

    /// Something that an operator had better know.
    package struct Remark: Hashable, Sendable {
        /// `nil`: it is of the whole table.
        package var shard: String?
        package var text: String
        /// Whether it keeps the table from being taken over.
        package var stops: Bool

        package init(shard: String? = nil, _ text: String, stops: Bool = false) {
            self.shard = shard
            self.text = text
            self.stops = stops
        }
    }

    /// How many of the shards are still to be read.
    package var unread: Int {
        imported?.shards.count { !$0.imported.status.letsChildrenStart } ?? 0
    }

    /// Where the table would begin again: what NimoShake leaves to a full sync, Shake does too.
    static let fullSync = "it needs a full sync, as `shakectl run` gives each table that its journal doesn't know"

    /// - Parameters:
    ///   - status: what NimoShake's status table says, of all tables.
    ///   - stream: that the table has; `nil` where nobody could say.
    ///   - source: where the rows were read.
    package static func of(
        _ table: NimoShakeCheckpoints.Table, status: String?, stream: KnownStream?, source: String, now: Timestamp
    ) -> NimoShakeOutlook {
        var decision = NimoShakeDecision(table, stream: stream, source: source, now: now)
        return decision.decide(status: status)
    }
}
