package import StreamModel

/// What an operator, or recovery, wants a shard to be set to.
package struct RewindRequest: Sendable {
    package enum Place: Sendable {
        case sequenceNumber(SequenceNumber)
        case start
        /// As the shard was at some position or time.
        case checkpoint(Checkpoint)
    }

    package var place: Place
    /// With a sequence number: that record is delivered again.
    package var inclusive: Bool
    package var reason: String
    package var author: String

    package init(place: Place, inclusive: Bool, reason: String, author: String) {
        self.place = place
        self.inclusive = inclusive
        self.reason = reason
        self.author = author
    }
}

/// Why a rewind is not possible, and what is instead.
package enum RewindRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownShard(ShardKey)
    /// It is to be set as another shard was.
    case anotherShard(ShardKey, wanted: ShardKey)
    /// Its table goes on with a newer stream: nobody reads it again, and what it would replay is older than what that has brought.
    case olderStream(ShardKey, followed: StreamARN)
    case beforeStart(ShardID, SequenceNumber, starting: SequenceNumber, parent: ShardID?)
    case behindEnd(ShardID, SequenceNumber, ending: SequenceNumber)
    /// Ahead of `current`, which is `nil` where nothing is in the target since the shard's start.
    case ahead(ShardID, SequenceNumber, current: SequenceNumber?)
    /// What is above it is read again, and must come before.
    case belowReplay(ShardID, SequenceNumber, parent: ShardID, Status)

    package var description: String {
        switch self {
        case .unknownShard(let shard):
            "the journal doesn't know shard \(shard): `shakectl shards` lists those that it knows"
        case .anotherShard(let shard, let wanted):
            "that checkpoint belongs to shard \(shard), not to \(wanted)"
        case .olderStream(let shard, let followed):
            "shard \(shard) is of an older stream, \(shard.stream): its table goes on with \(followed), and what is older is "
                + "not read again. A full sync brings every item as it is now"
        case .beforeStart(let shard, let number, let starting, let parent):
            "sequence number \(number) lies before shard \(shard), which starts at \(starting): --to-start goes back as far as it "
                + "can" + (parent.map { "; what comes before is in its parent \($0)" } ?? "")
        case .behindEnd(let shard, let number, let ending):
            "sequence number \(number) lies behind shard \(shard), which ends at \(ending): what comes after is in its children"
        case .ahead(let shard, let number, nil):
            "nothing of shard \(shard) is in the target since its start, so sequence number \(number) lies ahead of it: let it run"
        case .ahead(let shard, let number, let current?):
            "sequence number \(number) lies ahead of shard \(shard)'s checkpoint, which is \(current): going forward would skip "
                + "records. If this is to undo a rewind whose replay has begun, let the replay run: it ends in the same place"
        case .belowReplay(let shard, let number, let parent, let status):
            "shard \(shard) can't be brought forward to \(number): shard \(parent), above it, is \(status.rawValue), and what it "
                + "replays must come before. Let the replay run: it ends in the same place"
        }
    }
}

/// What a rewind appends (DESIGN 4.6): decided from the checkpoints alone, so that a dry run is the same run.
package struct RewindPlan: Hashable, Sendable {
    /// The iterator that the stream must still be able to give, or the rewind would lose records.
    package struct Needs: Hashable, Sendable {
        package let type: IteratorType
        package let sequenceNumber: SequenceNumber?
    }

    package let shard: ShardKey
    package let from: SequenceNumber?
    package let to: SequenceNumber?
    package let inclusive: Bool
    /// Descendants that are set back with it, parents before children.
    package let cascaded: [ShardKey]
    /// One append: all or nothing.
    package let drafts: [Draft]
    package let needs: Needs

    /// - Parameter checkpoints: all of the journal, or at least all of the shard's stream.
    package static func make(
        _ request: RewindRequest, of shard: ShardKey, among checkpoints: [Checkpoint]
    ) throws(RewindRefusal) -> RewindPlan {
        let stream = checkpoints.filter { $0.shard.table == shard.table && $0.shard.stream == shard.stream }
        guard let current = stream.first(where: { $0.shard == shard }) else {
            throw .unknownShard(shard)
        }
        let place = try Place(request, current, parent: stream.first { $0.shard.shard == current.parent })
        let descendants = descendantsToSetBack(of: shard.shard, among: stream)
        let drafts =
            [draft(request, current, to: place.to, inclusive: place.inclusive, root: nil)]
            + descendants.map { setBack($0, root: shard.shard, reason: request.reason, author: request.author) }
        return RewindPlan(
            shard: shard, from: current.sequenceNumber, to: place.to, inclusive: place.inclusive,
            cascaded: descendants.map(\.shard), drafts: drafts,
            needs: Needs(
                type: place.to == nil ? .trimHorizon : place.inclusive ? .atSequenceNumber : .afterSequenceNumber,
                sequenceNumber: place.to))
    }

    private struct Place {
        let to: SequenceNumber?
        let inclusive: Bool

        init(_ request: RewindRequest, _ current: Checkpoint, parent: Checkpoint?) throws(RewindRefusal) {
            switch request.place {
            case .start:
                (to, inclusive) = (nil, false)
            case .sequenceNumber(let number):
                (to, inclusive) = (number, request.inclusive)
            case .checkpoint(let then):
                guard then.shard == current.shard else {
                    throw .anotherShard(then.shard, wanted: current.shard)
                }
                (to, inclusive) = (then.sequenceNumber, then.iteratorType == .atSequenceNumber)
            }
            guard let to else { return }
            let name = current.shard.shard
            if let starting = current.range.starting, to < starting {
                throw .beforeStart(name, to, starting: starting, parent: current.parent)
            }
            if let ending = current.range.ending, to > ending { throw .behindEnd(name, to, ending: ending) }
            guard current.sequenceNumber.map({ to > $0 }) ?? true else { return }
            guard case .checkpoint(let then) = request.place, then.epoch.next == current.epoch else {
                throw .ahead(name, to, current: current.sequenceNumber)
            }
            // The last rewind is taken back. As long as nobody has taken it up nothing is replayed; once records are, older
            // ones may lie over newer ones, and only the rest of the replay puts that right. That holds for rewinds before
            // the last one as well, of which the checkpoint doesn't tell how far they came.
            guard current.status == .prepared || current.status == .waitingForParent else {
                throw .ahead(name, to, current: current.sequenceNumber)
            }
            if let parent, !parent.status.letsChildrenStart {
                throw .belowReplay(name, to, parent: parent.shard.shard, parent.status)
            }
        }
    }

    /// Refuses a shard of a stream that its table is no longer followed by: nobody reads it again, and what it would replay is
    /// older than what the newer stream has brought.
    ///
    /// - Parameter stream: that the table is followed by; `nil` where the journal doesn't say.
    package static func check(_ shard: ShardKey, followedBy stream: StreamARN?) throws(RewindRefusal) {
        guard let stream, stream != shard.stream else { return }
        throw .olderStream(shard, followed: stream)
    }

    /// Replayed records of a parent must not be the last word on an item that its children changed since, so all of them are
    /// read again from their start: those that have begun, and those that were not to be read as far as the anchor of a scan.
    private static func descendantsToSetBack(of shard: ShardID, among stream: [Checkpoint]) -> [Checkpoint] {
        let children = Dictionary(grouping: stream.filter { $0.parent != nil }) { $0.parent }
        var found: [Checkpoint] = []
        var visited: Set<ShardID> = [shard]
        var next = [shard]
        while let parent = next.first {
            next.removeFirst()
            for child in (children[parent] ?? []).sorted(by: { $0.shard < $1.shard })
            where visited.insert(child.shard.shard).inserted {
                next.append(child.shard.shard)
                if !child.beginsAtItsStart { found.append(child) }
            }
        }
        return found
    }

    /// Sets back what has begun below shards that a listing shows only now: it began as if they were gone (DESIGN 1), and
    /// what they still hold must come before. One draft a shard, parents before children.
    package static func settingBack(
        below late: [ShardID], among stream: [Checkpoint], reason: String, author: String
    ) -> [Draft] {
        var seen: Set<ShardID> = []
        return late.flatMap { root in
            descendantsToSetBack(of: root, among: stream).filter { seen.insert($0.shard.shard).inserted }
                .map { setBack($0, root: root, reason: reason, author: author) }
        }
    }

    private static func setBack(_ checkpoint: Checkpoint, root: ShardID, reason: String, author: String) -> Draft {
        let request = RewindRequest(place: .start, inclusive: false, reason: reason, author: author)
        return draft(request, checkpoint, to: nil, inclusive: false, root: root)
    }

    private static func draft(
        _ request: RewindRequest, _ checkpoint: Checkpoint, to: SequenceNumber?, inclusive: Bool, root: ShardID?
    ) -> Draft {
        Draft(
            shard: checkpoint.shard, expecting: checkpoint.revision,
            [
                .rewound(
                    Rewound(
                        from: checkpoint.sequenceNumber, to: to, inclusive: inclusive, reason: request.reason,
                        author: request.author, cascadeRoot: root, epoch: checkpoint.epoch.next))
            ])
    }
}

extension Checkpoint {
    /// Whether the shard is still to be read, and from its start: a parent that is read again doesn't change that.
    var beginsAtItsStart: Bool {
        switch status {
        case .inProcessing, .done, .notNeeded, .lost: false
        case .notProcessed, .prepared, .waitingForParent: iteratorType == .trimHorizon && sequenceNumber == nil
        }
    }
}
