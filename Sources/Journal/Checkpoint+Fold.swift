package import StreamModel

/// The fold: a pure function, total over the histories that a journal can hold.
extension Checkpoint {
    /// The checkpoint after `event`, which is about this shard.
    ///
    /// - Throws: what can't follow; the same events are refused at append.
    package func applying(_ event: Event) throws(Refusal) -> Checkpoint {
        var next = self
        try next.apply(event.payload, position: event.position, time: event.time)
        return next
    }

    /// A shard's first event.
    package static func beginning(
        _ shard: ShardKey, with payload: Payload, position: Position, time: Timestamp
    ) throws(Refusal) -> Checkpoint {
        if case .historyFolded(let folded) = payload, folded.firstRevision == Revision(1),
            folded.checkpoint.shard == shard, folded.leads(to: position, time)
        {
            return folded.checkpoint
        }
        guard case .shardDiscovered(let discovered) = payload else {
            throw Refusal(
                shard: shard, revision: .none, attempted: Revision(1), kind: payload.kind,
                rule: "a shard's first event is its discovery")
        }
        return Checkpoint(shard: shard, discovered: discovered, position: position, time: time)
    }

    /// One step of the fold. Left unchanged where it throws.
    mutating func apply(_ payload: Payload, position: Position, time: Timestamp) throws(Refusal) {
        switch payload {
        case .shardDiscovered(let discovered):
            // Seen again: closed meanwhile, or more of it known. Where it starts was said once.
            guard range.ending == nil || discovered.range.ending == range.ending else {
                throw refusal(payload, "a closed shard keeps its ending sequence number")
            }
            parent = discovered.parent ?? parent
            range = SequenceRange(
                starting: discovered.range.starting ?? range.starting, ending: discovered.range.ending ?? range.ending)
        case .queried(let queried):
            worker = queried.worker
        case .iteratorResolved(let resolved):
            // Kept only where nothing else says where reading began; it stays until a record does.
            if resolved.iteratorType == .latest, let iterator = resolved.iterator {
                guard sequenceNumber == nil else {
                    throw refusal(payload, "a shard with a sequence number never begins at LATEST again")
                }
                iteratorType = .latest
                if case .iterator(iterator, _) = storedIterator { break }
                storedIterator = .iterator(iterator, obtained: resolved.issued ?? time)
            }
        case .statusChanged(let change):
            guard change.from == status else {
                throw refusal(payload, "the status is \(status.rawValue), not \(change.from.rawValue)")
            }
            guard Self.mayChange(from: change.from, to: change.to) else {
                throw refusal(
                    payload, "\(change.from.rawValue) is never followed by \(change.to.rawValue) without a rewind")
            }
            status = change.to
            // Nothing is left of it that could be read.
            if status.letsChildrenStart { pause = nil }
        case .sequenceAdvanced(let advance):
            try apply(advance, payload)
        case .advancesFolded(let folded):
            guard folded.firstRevision == revision.next else {
                throw refusal(
                    payload, "they begin with revision \(folded.firstRevision), and the shard's is \(revision)")
            }
            // Advances one after the other add up to one: the last number, the sums, and what was refused in between.
            try apply(folded.advance, payload)
            revision = Revision(revision.number &+ folded.count &- 1)
        case .historyFolded(let folded):
            guard folded.firstRevision == revision.next, folded.checkpoint.shard == shard,
                folded.leads(to: position, time)
            else {
                throw refusal(
                    payload,
                    "they begin with revision \(folded.firstRevision) of \(folded.checkpoint.shard), and the shard's is \(revision)"
                )
            }
            // Where they led, the last of them included.
            self = folded.checkpoint
            return
        case .faulted(let fault):
            lastFault = Fault(code: fault.code, message: fault.message, time: time, isRetried: fault.isRetried)
        case .rewound(let rewound):
            guard rewound.epoch == epoch.next else {
                throw refusal(payload, "the epoch after \(epoch) is \(epoch.next), not \(rewound.epoch)")
            }
            guard rewound.from == sequenceNumber else {
                throw refusal(
                    payload,
                    "the checkpoint is at \(sequenceNumber?.text ?? "the start"), not at \(rewound.from?.text ?? "the start")"
                )
            }
            epoch = rewound.epoch
            sequenceNumber = rewound.to
            iteratorType =
                rewound.to == nil ? .trimHorizon : rewound.inclusive ? .atSequenceNumber : .afterSequenceNumber
            storedIterator = nil
            approximateTime = nil
            // Both spoke of what lay before the old place.
            accountedUntil = nil
            lossDeclared = nil
            status = rewound.cascadeRoot == nil ? .prepared : .waitingForParent
        case .rangeLost(let lost):
            guard !status.letsChildrenStart else {
                throw refusal(payload, "nothing can be lost of a shard that is \(status.rawValue)")
            }
            loss = Loss.after(lost, loss, position: position, time: time)
            if lost.policy == .skip {
                // The number stays: what is left begins after it.
                iteratorType = .trimHorizon
                storedIterator = nil
                lossDeclared = time
            }
        case .lossAcknowledged(let word):
            guard let known = loss, word.remedy != .stop else {
                throw refusal(payload, loss == nil ? "there is no loss to acknowledge" : "to stop is no remedy")
            }
            loss = known.acknowledged(word)
        case .recordRefused(let refused):
            guard let number = refused.sequenceNumber else { throw refusal(payload, "it names no record of the shard") }
            guard status == .inProcessing else {
                throw refusal(
                    payload, "only a shard in processing has records refused, and this one is \(status.rawValue)")
            }
            refusals.removeAll { $0.sequenceNumber == number }
            refusals.append(RefusedRecord(position: position, sequenceNumber: number, epoch: epoch))
        case .refusalSettled(let settled):
            guard let index = refusals.firstIndex(where: { $0.position == settled.refusal }) else {
                throw refusal(payload, "no refused record of the shard stands at position \(settled.refusal)")
            }
            refusals.remove(at: index)
        case .inStep(let sign):
            guard status == .inProcessing else {
                throw refusal(payload, "only a shard in processing is in step, and this one is \(status.rawValue)")
            }
            accountedUntil = max(sign.until, accountedUntil ?? sign.until)
        case .paused(let paused):
            if let pause {
                throw refusal(payload, "it is paused already, by \(pause.author) at position \(pause.position)")
            }
            guard !status.letsChildrenStart else {
                throw refusal(payload, "nothing more is read of a shard that is \(status.rawValue)")
            }
            pause = Pause(paused, position: position, time: time)
        case .resumed:
            guard pause != nil else { throw refusal(payload, "it is not paused") }
            pause = nil
        case .imported(let imported):
            guard revision == Revision(1), status == .notProcessed else {
                throw refusal(payload, "a place is imported right after the discovery, and once")
            }
            if let complaint = imported.complaint { throw refusal(payload, complaint) }
            status = imported.status
            iteratorType = imported.iteratorType
            sequenceNumber = imported.sequenceNumber
            approximateTime = imported.approximateTime
            importedSince = imported.owedSince ?? Timestamp(microseconds: 0)
        case .unknown:
            break
        case .runStarted, .runStopped, .phaseChanged, .tableRemoved, .scanAdvanced, .rowsSwept, .repaired,
            .scanFinished:
            throw refusal(payload, "it is no event of a shard")
        }
        revision = revision.next
        self.position = position
        updated = time
    }

    private mutating func apply(_ advance: SequenceAdvanced, _ payload: Payload) throws(Refusal) {
        guard status == .inProcessing else {
            throw refusal(payload, "only a shard in processing advances, and this one is \(status.rawValue)")
        }
        if let sequenceNumber {
            let isNext =
                iteratorType == .atSequenceNumber
                ? advance.sequenceNumber >= sequenceNumber : advance.sequenceNumber > sequenceNumber
            guard isNext else {
                throw refusal(
                    payload,
                    "sequence number \(advance.sequenceNumber) does not come after \(sequenceNumber): only a rewind goes back"
                )
            }
        }
        // What was refused in an earlier epoch was delivered again with this, or refused once more.
        if !refusals.isEmpty {
            refusals = refusals.filter { $0.epoch == epoch || !isCovered($0.sequenceNumber, by: advance) }
        }
        sequenceNumber = advance.sequenceNumber
        iteratorType = .afterSequenceNumber
        storedIterator = nil
        importedSince = nil
        approximateTime = advance.approximateTime ?? approximateTime
        targetToken = advance.targetToken ?? targetToken
        // Without a trap: no shard has so many, and where damage says so, its hash does not hold.
        records &+= advance.records
        bytes &+= advance.bytes
    }

    /// Which status may follow which. What is done stays done; only a rewind begins it anew.
    package static func mayChange(from: Status, to: Status) -> Bool {
        switch (from, to) {
        case (.notProcessed, .notNeeded), (.notProcessed, .prepared), (.notProcessed, .waitingForParent),
            (.notProcessed, .inProcessing), (.prepared, .inProcessing), (.prepared, .waitingForParent),
            (.waitingForParent, .prepared), (.waitingForParent, .inProcessing), (.inProcessing, .done),
            (.prepared, .notNeeded), (.waitingForParent, .notNeeded), (.inProcessing, .notNeeded),
            (.notProcessed, .lost), (.prepared, .lost), (.waitingForParent, .lost), (.inProcessing, .lost):
            true
        case (.notProcessed, _), (.notNeeded, _), (.prepared, _), (.waitingForParent, _), (.inProcessing, _),
            (.done, _), (.lost, _):
            false
        }
    }

    /// Whether a record lies between the checkpoint and where `advance` takes it, and was read on the way: at the trim horizon it
    /// may have left the stream.
    private func isCovered(_ number: SequenceNumber, by advance: SequenceAdvanced) -> Bool {
        guard number <= advance.sequenceNumber else { return false }
        if iteratorType == .trimHorizon { return advance.first.map { number >= $0 } ?? false }
        guard let sequenceNumber else { return true }
        return iteratorType == .atSequenceNumber ? number >= sequenceNumber : number > sequenceNumber
    }

    private func refusal(_ payload: Payload, _ rule: String) -> Refusal {
        Refusal(shard: shard, revision: revision, attempted: revision.next, kind: payload.kind, rule: rule)
    }
}

extension HistoryFolded {
    /// Whether the fold of its events stands where and when the last of them happened.
    fileprivate func leads(to position: Position, _ time: Timestamp) -> Bool {
        checkpoint.position == position && checkpoint.updated == time
            && checkpoint.revision.number == firstRevision.number + count - 1
    }
}
