package import StreamModel

/// A record, or an item of a full sync, that was put aside and that nobody has settled.
package struct WaitingLetter: Hashable, Sendable {
    package let table: TableName
    /// `nil`: it is an item of a full sync.
    package let shard: ShardKey?
    /// Of the shard, as it was seen.
    package let revision: Revision?
    package let position: Position
    package let time: Timestamp
    package let refused: RecordRefused

    package init(
        table: TableName, shard: ShardKey?, revision: Revision?, position: Position, time: Timestamp,
        refused: RecordRefused
    ) {
        (self.table, self.shard, self.revision) = (table, shard, revision)
        (self.position, self.time, self.refused) = (position, time, refused)
    }
}

extension Journal {
    /// All dead letters that wait, the oldest first.
    package func waitingLetters() throws(JournalError) -> [WaitingLetter] {
        var letters: [WaitingLetter] = []
        for table in try tables() {
            for position in table.refusals { letters.append(try letter(at: position, of: table.table, nil)) }
        }
        for checkpoint in try checkpoints() {
            for refusal in checkpoint.refusals {
                letters.append(try letter(at: refusal.position, of: checkpoint.shard.table, checkpoint))
            }
        }
        return letters.sorted { $0.position < $1.position }
    }

    private func letter(
        at position: Position, of table: TableName, _ checkpoint: Checkpoint?
    ) throws(JournalError) -> WaitingLetter {
        guard let event = try events(after: Position(position.number - 1), limit: 1).first,
            case .recordRefused(let refused) = event.payload
        else {
            throw .damaged(path: path, position: position, problem: "the state names a refused record, which is none")
        }
        return WaitingLetter(
            table: table, shard: checkpoint?.shard, revision: checkpoint?.revision, position: position,
            time: event.time, refused: refused)
    }
}

/// How the dead letters of a shard are delivered again.
package enum Retrial: Hashable, Sendable {
    /// The shard is set back to the first of them, which comes again with all that follows it.
    case rewind(to: SequenceNumber)
    /// It was set back before them already.
    case comesAgain
    /// It never came to them again, and never will.
    case outOfReach
}

extension [WaitingLetter] {
    /// What is to be done to have those of one shard delivered again.
    package func retrial(of checkpoint: Checkpoint) -> Retrial {
        let due = filter { letter in
            // What the journal no longer holds as refused was delivered again, or settled, since it was listed.
            checkpoint.refusals.contains { $0.position == letter.position && !checkpoint.bringsAgain($0) }
        }
        guard let first = due.compactMap(\.refused.sequenceNumber).min() else { return .comesAgain }
        let isAhead = checkpoint.sequenceNumber.map { first > $0 } ?? true
        return isAhead && checkpoint.isOver ? .outOfReach : .rewind(to: first)
    }

    /// What takes them off the list: one draft for each table or shard.
    package func settling(author: String, reason: String) -> [Draft] {
        func settled(_ letters: [WaitingLetter]) -> [Payload] {
            letters.map { .refusalSettled(RefusalSettled(refusal: $0.position, author: author, reason: reason)) }
        }
        let ofShards = Dictionary(grouping: filter { $0.shard != nil }) { $0.shard }
        let ofTables = Dictionary(grouping: filter { $0.shard == nil }) { $0.table }
        return ofTables.sorted { $0.key < $1.key }.map { Draft(table: $0.key, settled($0.value)) }
            + ofShards.sorted { $0.value[0].position < $1.value[0].position }.compactMap { shard, letters in
                shard.map { Draft(shard: $0, expecting: letters[0].revision ?? .none, settled(letters)) }
            }
    }
}

extension Checkpoint {
    /// Whether the shard was set back before the record since that was refused, and is on its way to it again.
    fileprivate func bringsAgain(_ refused: RefusedRecord) -> Bool {
        guard refused.epoch < epoch, !isOver else { return false }
        guard let number = sequenceNumber, number >= refused.sequenceNumber else { return true }
        return number == refused.sequenceNumber && iteratorType == .atSequenceNumber
    }

    /// Whether nothing of the shard is read again that was read before: it has ended, or is pinned at its newest record.
    fileprivate var isOver: Bool { status.letsChildrenStart || iteratorType == .latest }
}
