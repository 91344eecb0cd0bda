internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// What the target lacks.
extension ShardDesk {
    /// Compares what the target holds with what the journal says, before anything is read (DESIGN 4.5).
    mutating func recover() async throws {
        guard workshop.target.storesPositions else { return }
        let state = try workshop.journal.table(schema.name)
        try compareOlderStreams(state)
        for shard in lineage.checkpoints.keys.sorted() {
            // Looked up anew each time: a shard that an ancestor's rewind set back has a new epoch, and nothing to compare.
            guard let current = lineage.checkpoints[shard] else { continue }
            try await rejoin(current)
            guard let current = lineage.checkpoints[shard] else { continue }
            // What it brought before the table was scanned is in the scan; what a rewind has brought since lies over that.
            if let scanned = state?.scanBegan, current.position < scanned { continue }
            let verdict = Recovery.compare(current, with: positions[current.shard])
            workshop.surroundings.observing?("recovery: \(verdict.name)")
            if case .advance = verdict { continue }  // it is appended when the shard is taken up
            if try isScanned(current, state) { continue }
            if let replay = try lostReplay(current) {
                log(shard).warning("the target holds nothing of the shard's replay, which is begun again")
                let held = positions[current.shard]?.sequenceNumber
                let isBehind = held.flatMap { held in replay.to.map { held < $0 } } ?? false
                let place = (isBehind ? held : replay.to).map { RewindRequest.Place.sequenceNumber($0) } ?? .start
                try await rewind(
                    current, to: place, inclusive: replay.inclusive && !isBehind,
                    "the target no longer holds what was delivered since the rewind")
                continue
            }
            switch verdict {
            case .inStep where try isReplayOfLost(current):
                log(shard).warning("the target was set back behind the shard's replay, which goes on from the start")
                try await rewind(current, to: .start, "the target no longer holds what was delivered before the rewind")
            case .inStep, .advance: continue
            case .rewind(let number):
                log(shard).warning(
                    "the target is behind the journal; the shard is read again from there",
                    metadata: [
                        "target": "\(number)", "journal": "\(current.sequenceNumber?.text ?? "")",
                    ])
                try await rewind(current, to: .sequenceNumber(number), "the target holds no more than this")
            case .startAgain:
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
        for (shard, payloads) in undermined(lineage.checkpoints.keys).sorted(by: { $0.key < $1.key }) {
            guard let current = lineage.checkpoints[shard] else { continue }
            guard try await append([Draft(shard: current.shard, expecting: current.revision, payloads)]) else {
                throw DaemonError.journal(
                    .conflict(
                        shard: current.shard, expected: current.revision,
                        found: lineage.checkpoints[shard]?.revision ?? .none))
            }
            warnOfUndermined(shard)
        }
    }

    func warnOfUndermined(_ shard: ShardID) {
        workshop.surroundings.observing?("recovery: undermined")
        log(shard).warning(
            "the journal is older than the target, which holds what may not stay as it is; the shard is read again from its start")
    }

    // MARK: - A journal that is older than the target

    /// Shards that begin at their starts though the target holds some of them, since an ancestor is read again before them, or they were
    /// rewound in what the journal has lost: what follows in the journal from that. (Those that are over were rejoined, or an
    /// ancestor has set them back.)
    ///
    /// - Parameters:
    ///   - news: shards that are discovered in the same append.
    ///   - setBack: shards that are set back in the same append, for another reason.
    func undermined(
        _ shards: some Sequence<ShardID>, _ news: [ShardID: Lineage.News] = [:], setBack: Set<ShardID> = []
    ) -> [ShardID: [Payload]] {
        var found: [ShardID: [Payload]] = [:]
        var left = Array(shards)
        // What is read again lies over its own descendants: until none is left of which that is to be said.
        while true {
            let rereads = setBack.union(found.keys)
            let more = left.compactMap { shard in
                rereading(shard, news, rereads).map { (shard, $0) }
            }
            guard !more.isEmpty else { return found }
            found.merge(more) { first, _ in first }
            left.removeAll { found[$0] != nil }
        }
    }

    /// - Returns: `nil` where what the target holds of it stays as it is.
    private func rereading(
        _ shard: ShardID, _ news: [ShardID: Lineage.News], _ rereads: Set<ShardID>
    ) -> [Payload]? {
        let checkpoint = lineage.checkpoints[shard]
        let epoch = checkpoint?.epoch ?? .first
        guard checkpoint?.sequenceNumber == nil, checkpoint?.status.letsChildrenStart != true,
            news[shard]?.status != .notNeeded, let position = positions[key(shard)], position.epoch >= epoch
        else { return nil }
        let root = underminer(of: shard, news, rereads, isKnown: checkpoint != nil)
        // In an epoch that the target has left behind, the next rewind would be taken for one that was delivered.
        guard root != nil || position.epoch > epoch else { return nil }
        // Into an epoch of which the target holds nothing.
        let epochs = (epoch.number...min(position.epoch.number, epoch.number + 1000)).map { Epoch($0).next }
        return epochs.map { epoch in
            .rewound(
                Rewound(
                    from: nil, to: nil, inclusive: false,
                    reason: root == nil
                        ? "the journal was restored from before a rewind that the target has lived through"
                        : "the journal is older than the target, and an ancestor of the shard is read again",
                    author: Self.author, cascadeRoot: root, epoch: epoch))
        }
    }

    /// - Parameters:
    ///   - rereads: shards that are read again by what is appended with it.
    ///   - isKnown: by the journal.
    private func underminer(
        of shard: ShardID, _ news: [ShardID: Lineage.News], _ rereads: Set<ShardID>, isKnown: Bool
    ) -> ShardID? {
        func parent(of shard: ShardID) -> ShardID? {
            lineage.checkpoints[shard]?.parent ?? news[shard]?.discovered.parent
        }
        var (next, seen) = (parent(of: shard), Set<ShardID>())
        while let id = next, seen.insert(id).inserted, lineage.checkpoints[id] != nil || news[id] != nil {
            if rereads.contains(id)
                || news[id]?.status != .notNeeded
                    && Recovery.undermines(lineage.checkpoints[id], positions[key(id)], isAboveKnown: isKnown)
            {
                return id
            }
            next = parent(of: id)
        }
        return nil
    }

    /// Brings a shard into the epoch that the target is in.
    mutating func rejoin(_ checkpoint: Checkpoint) async throws {
        guard let lost = Recovery.lostRewinds(checkpoint, positions[checkpoint.shard]) else { return }
        workshop.surroundings.observing?("recovery: another epoch\(lost.place == nil ? ", from its start" : "")")
        log(checkpoint.shard.shard).warning(
            "the journal is from before a rewind that the target has lived through; the shard goes on in the target's epoch",
            metadata: ["from": "\(lost.place?.text ?? "its start")", "rewinds": "\(lost.count)"])
        let place = lost.place.map { RewindRequest.Place.sequenceNumber($0) } ?? .start
        for _ in 0..<lost.count {
            guard let current = lineage.checkpoints[checkpoint.shard.shard] else { return }
            // Of the place that it had, also whether that record is to come again.
            let isInclusive = current.iteratorType == .atSequenceNumber && current.sequenceNumber == lost.place
            try await rewind(
                current, to: place, inclusive: isInclusive,
                "the journal was restored from before a rewind that the target has lived through")
        }
    }

    /// Whether all that the shard ever brought was there before the scan began. An operator may have set it back since.
    private func isScanned(_ checkpoint: Checkpoint, _ state: TableState?) throws(JournalError) -> Bool {
        guard let began = state?.scanBegan else { return false }
        return try workshop.lastAdvance(checkpoint).map { $0 < began } ?? true
    }

    private func lostReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Rewound? {
        let position = positions[checkpoint.shard]
        guard position.map({ $0.epoch < checkpoint.epoch }) ?? false else { return nil }
        let query = HistoryQuery(kinds: ["rewound", "sequence_advanced"], newestFirst: true)
        return Recovery.lostReplay(checkpoint, position, try workshop.journal.history(of: checkpoint.shard, query))
    }

    private func isReplayOfLost(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard checkpoint.sequenceNumber == nil, checkpoint.epoch > .first else { return false }
        let query = HistoryQuery(kinds: ["rewound", "sequence_advanced", "history_folded"])
        return Recovery.wasRestored(
            positions[checkpoint.shard], try workshop.journal.history(of: checkpoint.shard, query))
    }

    /// Of a stream that the table is no longer followed by nothing is read again: what a restored target lacks of it only a scan
    /// brings.
    private func compareOlderStreams(_ state: TableState?) throws {
        let older = try workshop.journal.checkpoints().filter {
            $0.shard.table == schema.name && $0.shard.stream != stream
        }
        guard let lacking = try workshop.firstLacking(of: older, positions, state) else { return }
        throw DaemonError.needsFullSync(
            table: schema.name,
            reason:
                "the target does not hold all that shard \(lacking.shard) of the table's older stream "
                + "\(lacking.stream) has brought, as the journal says: it was restored from a backup from before "
                + "that, was emptied, or is another one")
    }
}
