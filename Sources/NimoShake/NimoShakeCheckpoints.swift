package import StreamModel

/// All that NimoShake has left of its checkpoints, read and not yet judged.
package struct NimoShakeCheckpoints: Hashable, Sendable {
    /// Where they were read, without secrets.
    package var source: String
    /// What its status table says; `nil` where there is none.
    package var status: String?
    /// By name.
    package var tables: [Table]
    /// What lay among them and is no checkpoint of a table, with the reason.
    package var skipped: [Skipped]

    package struct Table: Hashable, Sendable {
        package var name: TableName
        /// In the order in which they stand there.
        package var rows: [NimoShakeCheckpoint]
        /// The last line ended in the middle: it was written when the process ended, and rows may be missing.
        package var isTorn: Bool

        package init(name: TableName, rows: [NimoShakeCheckpoint], isTorn: Bool = false) {
            self.name = name
            self.rows = rows
            self.isTorn = isTorn
        }
    }

    package struct Skipped: Hashable, Sendable {
        package var name: String
        package var reason: String

        package init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    package init(source: String, status: String?, tables: [Table], skipped: [Skipped] = []) {
        self.source = source
        self.status = status
        self.tables = tables
        self.skipped = skipped
    }
}
