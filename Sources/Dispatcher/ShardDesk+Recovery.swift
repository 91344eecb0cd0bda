internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// What the target lacks, what the stream has lost, and whether that was ours.
extension ShardDesk {
    /// Compares what the target holds with what the journal says, before anything is read (DESIGN 4.5).
    mutating func recover() async throws {
        guard workshop.target.storesPositions else { return }
        let state = try workshop.journal.table(schema.name)
        for shard in lineage.checkpoints.keys.sorted() {
            // Looked up anew each time: a shard that an ancestor's rewind set back has a new epoch, and nothing to compare.
            guard let current = lineage.checkpoints[shard] else { continue }
            // What it brought before the table was scanned is in the scan.
            if let scanned = state?.scanFinished, current.position < scanned { continue }
            let verdict = Recovery.compare(current, with: positions[current.shard])
            workshop.surroundings.observing?("recovery: \(verdict.name)")
            switch verdict {
            case .inStep, .advance: continue  // an advance is appended when the shard is taken up
            case .rewind(let number):
                log(shard).warning(
                    "the target is behind the journal; the shard is read again from there",
                    metadata: [
                        "target": "\(number)", "journal": "\(current.sequenceNumber?.text ?? "")",
                    ])
                try await rewind(current, to: .sequenceNumber(number), "the target holds no more than this")
            case .startAgain:
                // An operator may have set it back since.
                if let scanned = state?.scanFinished, try lastAdvance(current).map({ $0 < scanned }) ?? true {
                    continue
                }
                let reason =
                    "the target holds nothing of shard \(shard), of which the journal says "
                    + "\(current.records) records: it is older, was emptied, or is another one"
                guard try isWhole(current) else {
                    throw DaemonError.needsFullSync(
                        table: schema.name, reason: "\(reason), and the stream no longer holds the shard from its start"
                    )
                }
                log(shard).warning("the target holds nothing of the shard; it is read again from its start")
                try await rewind(current, to: .start, reason)
            }
        }
    }

    /// Whether the stream is sure to hold every record that was ours of the shard: since its parent's last one, or since the
    /// journal knows it.
    func isWhole(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        let parent = checkpoint.parent.flatMap { lineage.checkpoints[$0] }
        let since: Timestamp?
        if let last = parent?.approximateTime { since = last } else { since = try discovered(parent ?? checkpoint) }
        return since.map { workshop.now() - $0 < Recovery.retention } ?? false
    }

    func lastAdvance(_ checkpoint: Checkpoint) throws(JournalError) -> Position? {
        let query = HistoryQuery(kinds: ["sequence_advanced"], limit: 1, newestFirst: true)
        return try workshop.journal.history(of: checkpoint.shard, query).first?.position
    }

    func discovered(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
        try workshop.journal.history(of: checkpoint.shard, HistoryQuery(limit: 1)).first?.time
    }

    /// Whether what left the stream of a shard was made before the journal knew of it: a fresh start brings what is there.
    func neverWasOurs(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard fresh.contains(checkpoint.shard.shard) else { return false }
        return try isWhole(checkpoint)
    }

    /// Whether a shard begins at LATEST, and what has left the stream since was made before that.
    func holdsAllSinceAnchor(_ checkpoint: Checkpoint) -> Bool {
        guard case .iterator(_, let obtained)? = checkpoint.storedIterator else { return false }
        return workshop.now() - obtained < Recovery.retention
    }

    /// Whether what left the stream of a shard was delivered before an operator set it back to its start: a replay brings what
    /// is still there.
    func isReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard checkpoint.sequenceNumber == nil else { return false }
        let last = try workshop.journal.history(
            of: checkpoint.shard,
            HistoryQuery(kinds: ["rewound", "sequence_advanced"], limit: 2, newestFirst: true))
        guard case .rewound(let rewound)? = last.first?.payload, rewound.author != Self.author,
            case .sequenceAdvanced(let advance)? = last.dropFirst().first?.payload, let time = advance.approximateTime
        else { return false }
        return workshop.now() - time < Recovery.retention
    }

    func lost(_ shard: ShardID, _ checkpoint: Checkpoint) -> DaemonError {
        .needsFullSync(
            table: schema.name,
            reason: "the stream no longer holds what shard \(shard) has after "
                + "\(checkpoint.sequenceNumber.map { "sequence number \($0)" } ?? "its start")")
    }
}
