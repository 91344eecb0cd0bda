internal import Dispatcher
internal import Journal
internal import StreamModel

/// A place that was taken over from another program, as `history` says it.
extension Imported {
    var members: [JSON.Member] {
        [
            .init("status", .string(status.rawValue)), .init("iterator_type", .string(iteratorType.rawValue)),
            .init("sequence_number", .string(sequenceNumber?.text)),
            .init("approximate_time", .string(approximateTime?.description)),
            .init("owed_since", .string(owedSince?.description)), .init("reason", .string(reason)),
            .init(
                "origin",
                [
                    "program": .string(origin.program), "source": .string(origin.source),
                    "status": .string(origin.status), "sequence_number": .string(origin.sequenceNumber),
                    "iterator_type": .string(origin.iteratorType), "stored_iterator": .string(origin.storedIterator),
                    "approximate_time": .string(origin.approximateTime), "updated": .string(origin.updated),
                    "worker": .string(origin.worker),
                ]),
        ]
    }

    var words: String {
        "\(status.rawValue), \(place), from \(origin.source): \(said)" + (reason.isEmpty ? "" : " (\(reason))")
    }

    private var place: String {
        switch (status, iteratorType, sequenceNumber) {
        case (.notNeeded, _, _): "nothing of it is read"
        case (.done, _, let number): number.map { "its last record \($0)" } ?? "read to its end"
        case (_, .atSequenceNumber, let number?): "goes on at \(number)"
        case (_, _, let number?): "goes on after \(number)"
        case (_, _, nil): "begins at its start"
        }
    }

    /// What stood there.
    private var said: String {
        guard !origin.status.isEmpty else { return "\(origin.program) has no word of its own on it" }
        return "\(origin.program) said '\(origin.status)'"
            + (origin.iteratorType.isEmpty ? "" : ", \(origin.iteratorType)")
            + (origin.sequenceNumber.isEmpty ? "" : " \(origin.sequenceNumber)")
            + (origin.updated.isEmpty ? "" : ", updated \(origin.updated)")
    }
}
