package import StreamModel

/// A shard's place was taken over from another program, by whose word the target has all that lies before it.
///
/// It comes right after the shard's discovery, and once. What follows from it for the shard stands beside the words that it was
/// decided from, so that nobody has to know the other program to fold it.
package struct Imported: Hashable, Sendable {
    package var status: Status
    package var iteratorType: IteratorType
    package var sequenceNumber: SequenceNumber?
    /// Of the last record that was brought.
    package var approximateTime: Timestamp?
    /// Since when there may be records that are still to be brought, of the shard or of what continues it; `nil`: nobody knows.
    package var owedSince: Timestamp?
    /// Why the place is another one than the words of the origin say; empty: it isn't.
    package var reason: String
    package var origin: Origin

    /// Where the place comes from, and what stood there, in that program's own words.
    package struct Origin: Hashable, Sendable {
        package var program: String
        /// A file or a database, without secrets.
        package var source: String
        package var status: String
        package var sequenceNumber: String
        package var iteratorType: String
        package var storedIterator: String
        package var approximateTime: String
        package var updated: String
        package var worker: String

        package init(
            program: String, source: String, status: String = "", sequenceNumber: String = "",
            iteratorType: String = "", storedIterator: String = "", approximateTime: String = "", updated: String = "",
            worker: String = ""
        ) {
            self.program = program
            self.source = source
            self.status = status
            self.sequenceNumber = sequenceNumber
            self.iteratorType = iteratorType
            self.storedIterator = storedIterator
            self.approximateTime = approximateTime
            self.updated = updated
            self.worker = worker
        }
    }

    package init(
        status: Status, iteratorType: IteratorType, sequenceNumber: SequenceNumber?, approximateTime: Timestamp? = nil,
        owedSince: Timestamp?, reason: String = "", origin: Origin
    ) {
        self.status = status
        self.iteratorType = iteratorType
        self.sequenceNumber = sequenceNumber
        self.approximateTime = approximateTime
        self.owedSince = owedSince
        self.reason = reason
        self.origin = origin
    }

    /// What of it can be no place of a shard; `nil` where nothing is wrong.
    var complaint: String? {
        switch (status, iteratorType, sequenceNumber) {
        case (.inProcessing, _, _): "nobody reads the shard yet, so it can't be in_processing"
        case (.lost, _, _): "what another program lost it never said"
        case (_, .latest, _): "LATEST is no place that was kept"
        case (.notNeeded, _, nil), (.done, _, _): nil
        case (.notProcessed, .trimHorizon, nil), (.prepared, .trimHorizon, nil), (.waitingForParent, .trimHorizon, nil):
            nil
        case (.prepared, .atSequenceNumber, _?), (.prepared, .afterSequenceNumber, _?): nil
        case (.notNeeded, _, _), (.notProcessed, _, _), (.prepared, _, _), (.waitingForParent, _, _):
            "\(status.rawValue) and \(iteratorType.rawValue) \(sequenceNumber?.text ?? "without a sequence number") are no place"
        }
    }
}
