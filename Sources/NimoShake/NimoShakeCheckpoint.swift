/// One row of NimoShake's checkpoints, as it stands there: its own words, none of them judged.
package struct NimoShakeCheckpoint: Hashable, Sendable {
    /// `ShardId` and `FatherId`; an empty father is none.
    package var shard: String
    package var father: String
    package var sequenceNumber: String
    package var status: String
    package var worker: String
    package var iteratorType: String
    /// `ShardIt`: an iterator, or the marker "see sequence number".
    package var storedIterator: String
    /// `UpdateDate`: by the clock on its host's wall, whatever its Z says.
    package var updated: String
    /// `ApproximateTime`: of the last record that it wrote, as Go prints a time.
    package var approximateTime: String

    package init(
        shard: String, father: String = "", sequenceNumber: String = "", status: String = "", worker: String = "",
        iteratorType: String = "", storedIterator: String = "", updated: String = "", approximateTime: String = ""
    ) {
        self.shard = shard
        self.father = father
        self.sequenceNumber = sequenceNumber
        self.status = status
        self.worker = worker
        self.iteratorType = iteratorType
        self.storedIterator = storedIterator
        self.updated = updated
        self.approximateTime = approximateTime
    }
}

/// NimoShake's words for how a shard stands.
enum NimoShakeStatus: String {
    case notProcessed = "not process"
    /// Closed before its full sync began.
    case notNeeded = "no need to process"
    case prepared = "prepare stage"
    case inProcessing = "in processing"
    case waitingForParent = "wait father finish"
    case done = "done"

    /// Nothing more of the shard would be read.
    var isOver: Bool { self == .notNeeded || self == .done }
}

/// The iterator types that it stores.
enum NimoShakeIterator: String {
    /// From before its full sync: the row's number is still to be read.
    case latest = "LATEST"
    /// Its name for a number that was written: it goes on after that.
    case atSequenceNumber = "AT_SEQUENCE_NUMBER"
    case afterSequenceNumber = "AFTER_SEQUENCE_NUMBER"
    case trimHorizon = "TRIM_HORIZON"
}

/// What it says besides the rows.
enum NimoShakeWords {
    /// The file, or collection, that says how far all of it has come; every other one is of a table.
    static let statusTable = "status_table"
    /// In `ShardIt`: the row's number is to be read.
    static let seeSequenceNumber = "see sequence number"
    /// All tables are copied, and their streams followed.
    static let followed = "incr_sync"
}
