package import Journal
package import StreamModel

/// What the journal says, as the judge reads it: folded event by event beside the product's own states, with what they
/// forget and an excuse may need.
package struct Chronicle: Sendable {
    /// What is told of one shard.
    package struct Account: Sendable {
        package fileprivate(set) var checkpoint: Checkpoint
        package let discovered: Timestamp
        /// Where it was pinned to the newest record, last.
        package fileprivate(set) var anchor: Anchor?
        /// Losses that its table went on from, oldest first.
        package fileprivate(set) var losses: [Declared] = []
        /// Whether it was over when its table's newest scan began.
        package fileprivate(set) var wasOver = false
        /// When it was last set back, by whomever.
        package fileprivate(set) var rewound: Timestamp?
        /// What was put aside, by the position of its event; and the numbers of what was settled by hand.
        package fileprivate(set) var letters: [Position: RecordRefused] = [:]
        package fileprivate(set) var settled: Set<SequenceNumber> = []
    }

    package enum Anchor: Sendable {
        case iterator(ShardIterator)
        /// It is over and was not read to its end: a scan that follows holds what it would have brought.
        case nothing
    }

    package struct Declared: Sendable {
        package let lost: RangeLost
        package let time: Timestamp
    }

    /// What is told of one table.
    package struct TableAccount: Sendable {
        package fileprivate(set) var phase: Phase?
        package fileprivate(set) var stream: StreamARN?
        /// When its newest scan was seen to begin at the latest (a page of it was read some time before its event) and, if so, was
        /// finished; and how many were finished.
        package fileprivate(set) var scanBegan: Timestamp?
        /// Whether its stream is pinned for its newest scan, and read from there.
        fileprivate var (isPinned, isFollowed) = (false, false)
        /// When something was last told of it or of one of its shards.
        fileprivate var told: Timestamp?
        package fileprivate(set) var scanFinished: Timestamp?
        package fileprivate(set) var scans = 0
        /// Whether its newest scan is not its first: what the source has no more goes then.
        package fileprivate(set) var isScannedAgain = false
        /// What began its newest scan, or pinned its stream for that before anything was read from there.
        package fileprivate(set) var anchored: (position: Position, time: Timestamp)?
        /// When its first shard was seen.
        package fileprivate(set) var firstSeen: Timestamp?
        /// Items that a scan brought and the target refused.
        package fileprivate(set) var refusedItems: [RecordRefused] = []
        /// When it was first said what is done with it.
        package fileprivate(set) var begun: Timestamp?
        /// Losses of whole streams that it went on from without a scan.
        package fileprivate(set) var losses: [Declared] = []
        /// The loss that it waits for an operator with.
        package fileprivate(set) var loss: OpenLoss?
        /// What was declared with a remedy that the table has not entered.
        package fileprivate(set) var halfDealtWith: RangeLost?
        /// Segments of its newest scan that are at their ends, and of how many.
        fileprivate var (ended, segments): (Set<UInt32>, UInt32) = ([], 0)

        /// Whether its newest scan has brought every page, and is not finished.
        package var isScanAtItsEnd: Bool {
            phase == .fullSync && scanFinished == nil && segments > 0 && ended.count == Int(segments)
        }
    }

    package struct OpenLoss: Sendable {
        package let lost: RangeLost
        fileprivate var remedy: LossPolicy?
    }

    package private(set) var last = Position.origin
    package private(set) var shards: [ShardKey: Account] = [:]
    package private(set) var tables: [TableName: TableAccount] = [:]
    /// What is paused, and since when.
    package private(set) var pauses: [Subject: Timestamp] = [:]
    /// What was resumed when the stream could have forgotten what waited.
    private var longPaused: Set<Subject> = []

    package init() {}

    /// Since when a table or shard is paused, by itself or with its table.
    package func paused(_ subject: Subject) -> Timestamp? {
        [pauses[subject], subject.table.flatMap { pauses[.table($0)] }].compactMap(\.self).min()
    }

    package func checkpoint(_ shard: ShardKey) -> Checkpoint? { shards[shard]?.checkpoint }

    /// Records of a table that wait as dead letters.
    package func waiting(of table: TableName) -> Int {
        shards.values.reduce(0) { $0 + ($1.checkpoint.shard.table == table ? $1.checkpoint.refusals.count : 0) }
    }

    /// Folds one more event.
    ///
    /// - Parameter note: told of what was covered with it.
    package mutating func take(_ event: Event, _ note: (String) -> Void) throws(Refusal) {
        last = event.position
        note("event: \(event.payload.kind)")
        takePause(event, note)
        switch event.subject {
        case .run: break
        case .table(let table): take(event, of: table, note)
        case .shard(let shard): try take(event, of: shard, note)
        }
    }

    private mutating func takePause(_ event: Event, _ note: (String) -> Void) {
        switch event.payload {
        case .paused:
            if case .table(let table) = event.subject, tables[table]?.phase == .fullSync {
                note("pause: of a table that is scanned")
            }
            // Of two words at once the first is heard.
            pauses[event.subject] = pauses[event.subject] ?? event.time
        case .resumed:
            guard let since = pauses.removeValue(forKey: event.subject) else { return }
            if event.time - since >= .seconds(23 * 3600) { longPaused.insert(event.subject) }
        case .statusChanged(let change) where change.to.letsChildrenStart: pauses[event.subject] = nil
        case .historyFolded: pauses[event.subject] = nil
        case .rangeLost:
            if longPaused.contains(event.subject)
                || event.subject.table.map({ longPaused.contains(.table($0)) }) ?? false
            {
                note("pause: and a loss, since it outlasted what the stream keeps")
            }
        case .runStarted(let run) where run.role == "daemon" && !pauses.isEmpty: note("pause: outlives a process")
        default: break
        }
    }

    private mutating func take(_ event: Event, of table: TableName, _ note: (String) -> Void) {
        var account = tables[table] ?? TableAccount()
        switch event.payload {
        case .phaseChanged(let change):
            note("phase: \(change.from?.rawValue ?? "none") → \(change.to.rawValue)")
            account.phase = change.to
            account.halfDealtWith = nil
            account.begun = account.begun ?? event.time
            account.stream = change.stream ?? account.stream
            if change.to == .fullSync {
                (account.scanBegan, account.scanFinished, account.anchored) = (
                    nil, nil, (event.position, event.time)
                )
                account.refusedItems = []
                account.ended = []
                account.isScannedAgain = change.from != nil
                // A first scan is entered when the stream is pinned, any other before.
                (account.isPinned, account.isFollowed) = (change.from == nil, false)
            }
        case .scanAdvanced(let advance):
            account.segments = advance.totalSegments
            if advance.lastEvaluatedKey == nil { account.ended.insert(advance.segment) }
            guard account.scanBegan == nil else { break }
            account.scanBegan = account.told ?? event.time
            for (shard, known) in shards where shard.table == table {
                shards[shard]?.wasOver = known.checkpoint.status.letsChildrenStart
            }
        case .scanFinished:
            if let began = account.scanBegan, event.time - began > .seconds(24 * 3600) {
                note("scan: of more than a day")
            }
            account.scanFinished = event.time
            account.scans += 1
        case .recordRefused(let refused): account.refusedItems.append(refused)
        case .rangeLost(let lost):
            note("loss: \(lost.cause.rawValue), \(lost.policy.rawValue)")
            if lost.policy == .skip { account.losses.append(Declared(lost: lost, time: event.time)) }
            let isDealtWith = account.loss?.remedy == lost.policy
            if isDealtWith { note("loss: dealt with as an operator said, \(lost.policy.rawValue)") }
            account.loss = isDealtWith ? nil : OpenLoss(lost: lost)
            if lost.policy != .stop { account.halfDealtWith = lost }
        case .lossAcknowledged(let word):
            note(
                "loss: acknowledged under \(account.loss?.lost.policy.rawValue ?? ""), with "
                    + (word.remedy?.rawValue ?? "no remedy"))
            if account.loss?.lost.policy != .stop { account.loss = nil }
            if let remedy = word.remedy { account.loss?.remedy = remedy }
        default: break
        }
        account.told = event.time
        tables[table] = account
    }

    /// A scan's own place in the stream: what was still being written when it was asked for is older than that.
    private mutating func take(_ payload: Payload, asAnchorOf name: TableName, _ event: Event) {
        guard let table = tables[name], table.phase == .fullSync, table.scanBegan == nil else { return }
        switch payload {
        case .iteratorResolved(let resolved) where resolved.issued != nil && !table.isFollowed:
            tables[name]?.anchored = (event.position, event.time)
            tables[name]?.isPinned = true
        case .queried where table.isPinned: tables[name]?.isFollowed = true
        // The shard is pinned anew: set back by a recovery, or older than a scan that comes after this one.
        case .rewound(let rewound) where rewound.author == "recovery": tables[name]?.isFollowed = false
        case .statusChanged(let change) where change.to == .notNeeded: tables[name]?.isFollowed = false
        default: break
        }
    }

    private mutating func take(_ event: Event, of shard: ShardKey, _ note: (String) -> Void) throws(Refusal) {
        tables[shard.table, default: TableAccount()].told = event.time
        guard var account = shards[shard] else {
            let checkpoint = try Checkpoint.beginning(
                shard, with: event.payload, position: event.position, time: event.time)
            shards[shard] = Account(checkpoint: checkpoint, discovered: event.time)
            if tables[shard.table]?.firstSeen == nil { tables[shard.table]?.firstSeen = event.time }
            note("lineage: discovered, to begin at \(checkpoint.iteratorType.rawValue)")
            return
        }
        let before = account.checkpoint
        account.checkpoint = try before.applying(event.continuing(before.revision))
        take(event.payload, asAnchorOf: shard.table, event)
        switch event.payload {
        case .shardDiscovered: note("lineage: seen closed")
        case .queried(let queried):
            let parent = before.parent.map { parent in
                checkpoint(ShardKey(table: shard.table, stream: shard.stream, shard: parent))?.status.rawValue
                    ?? "unknown"
            }
            note("lineage: taken up as \(queried.status.rawValue)")
            note("lineage: taken up with a parent that is \(parent ?? "none")")
        case .iteratorResolved(let resolved):
            note("start table: \(resolved.rule)")
            if resolved.iteratorType == .latest, let iterator = resolved.iterator {
                account.anchor = .iterator(iterator)
            }
        case .statusChanged(let change):
            note("status: \(change.from.rawValue) → \(change.to.rawValue)")
            if change.to == .notNeeded { account.anchor = .nothing }
        case .rewound(let rewound):
            account.rewound = event.time
            let who =
                rewound.author != "recovery"
                ? "an operator" : rewound.reason.hasPrefix("a parent of it") ? "a late listing" : "recovery"
            let how =
                rewound.cascadeRoot != nil ? "as a descendant" : rewound.to == nil ? "to its start" : "to a record"
            note("rewound: \(before.status.rawValue), \(rewound.cascadeRoot == nil ? "itself" : "as a descendant")")
            note("rewound: by \(who), \(how)")
        case .rangeLost(let lost):
            note("loss: \(lost.cause.rawValue), \(lost.policy.rawValue)")
            if before.loss?.remedy == lost.policy {
                note("loss: dealt with as an operator said, \(lost.policy.rawValue)")
            }
            if before.loss != nil, account.checkpoint.loss != nil { note("loss: grows before it is acknowledged") }
            if lost.policy != .stop { account.losses.append(Declared(lost: lost, time: event.time)) }
            if lost.policy == .resync { tables[shard.table, default: TableAccount()].halfDealtWith = lost }
        case .lossAcknowledged(let word):
            let was = before.loss?.lost.policy.rawValue ?? ""
            note("loss: acknowledged under \(was), with \(word.remedy?.rawValue ?? "no remedy")")
        case .refusalSettled(let settled):
            if let number = before.refusals.first(where: { $0.position == settled.refusal })?.sequenceNumber {
                account.settled.insert(number)
            }
        case .sequenceAdvanced(let advance):
            if advance.records == 0 { note("advance: without a record") }
            if account.checkpoint.refusals.count < before.refusals.count { note("letter: delivered after all") }
            if let from = before.sequenceNumber, advance.sequenceNumber == from {
                note("advance: the same record again")
            }
        case .recordRefused(let refused):
            account.letters[event.position] = refused
            if before.refusals.contains(where: { $0.sequenceNumber == refused.sequenceNumber }) {
                note("letter: refused once more")
            }
        default: break
        }
        shards[shard] = account
    }
}

extension Event {
    /// What is new of it to a reader that was behind when old events were folded together, and has read some of them.
    fileprivate func continuing(_ known: Revision) -> Event {
        let new: Payload
        switch payload {
        case .advancesFolded(var folded) where folded.firstRevision <= known && known < folded.lastRevision:
            folded.count -= known.next.number - folded.firstRevision.number
            folded.firstRevision = known.next
            new = .advancesFolded(folded)
        case .historyFolded(var folded) where folded.firstRevision <= known:
            folded.firstRevision = known.next
            new = .historyFolded(folded)
        default: return self
        }
        return Event(position: position, time: time, run: run, subject: subject, revision: revision, payload: new)
    }
}
