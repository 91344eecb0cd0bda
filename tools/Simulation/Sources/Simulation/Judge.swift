package import Journal
package import StreamModel
internal import Targets

/// The invariants of DESIGN 7, asked at every write and at every rest. Facts in, violations out.
package struct Judge: Sendable {
    package var disk = Disk()
    package var truth = Truth()
    package var chronicle = Chronicle()
    package var readings = Readings()
    /// How many records the shard had that each LATEST iterator was issued for.
    package var anchors: [ShardIterator: Int] = [:]
    /// What the target has refused for itself, and how often; and the rows of scans among that.
    package var refused: [Disk.Origin: Int] = [:]
    package var refusedRows: Set<Disk.ItemID> = []
    /// Each shard's parent, as it really is.
    package var parents: [ShardKey: ShardID] = [:]
    /// Whether the target can list its rows.
    package var listsRows = true
    /// Tables that have no stream at the end, as the last run has said.
    package var standing: Set<TableName> = []
    package var promises = Promises()
    /// What an older journal excused, of what the target is past.
    private var forgotten: Set<Disk.Origin> = []

    /// What the stream has changed of each table since its scan began.
    private var touched: [TableName: Touched] = [:]

    fileprivate struct Touched: Sendable {
        let since: Position
        var items: Set<Disk.ItemID> = []
    }

    /// How long the stream keeps a record, and how much of that a daemon may let pass before it says what it lost.
    private static let retention: Duration = .seconds(24 * 3600)
    private static let slack: Duration = .seconds(600)
    /// How often a record is refused before it is put aside.
    private static let attempts = 3

    package init() {}

    /// So many of a shard's records have left the stream.
    package typealias Trimmed = (ShardKey) -> Int

    // MARK: - What is owed

    /// Where the reading of a shard may begin, besides at its first record: what lies before is older than its anchor.
    private func owed(of shard: ShardKey) -> Int {
        switch chronicle.shards[shard]?.anchor {
        case .iterator(let iterator)?: min(anchors[iterator] ?? 0, truth.count(of: shard))
        case .nothing?: truth.count(of: shard)
        case nil: 0
        }
    }

    /// Whether the record at a place may be missing in the target.
    private func isExcused(_ place: Int, of shard: ShardKey, _ trimmed: Trimmed) -> Bool {
        guard let record = truth.shards[shard]?.records[place] else { return false }
        return forgotten.contains(Disk.Origin(shard: shard, number: record.number)) || isPutAside(record.number, of: shard) || isScanned(place, record, of: shard)
            || isLeft(shard.stream, of: shard.table) || isLost(place, record, of: shard, trimmed)
    }

    /// Whether it has left the stream, and an event tells of it or nobody could have known of it.
    private func isLost(_ place: Int, _ record: Truth.Record, of shard: ShardKey, _ trimmed: Trimmed) -> Bool {
        guard place < trimmed(shard) else { return false }
        // Had left whatever stream it was in when its table was said to have another one.
        if let table = chronicle.tables[shard.table], table.losses.contains(where: { Self.covers($0, record) }) {
            return true
        }
        // What is lost is said where the table gets another stream.
        if standing.contains(shard.table), isGone(shard.stream, of: shard.table, trimmed) { return true }
        guard let account = chronicle.shards[shard] else { return isExcused(unseen: record, of: shard) }
        if account.losses.contains(where: { Self.covers($0, record) }) { return true }
        // What had left the stream before anybody could have read it, where nothing is known of what came before.
        return Self.isOlder(record, than: lineSeen(of: shard, account))
    }

    /// When the first of a shard and the ancestors that are known of it was seen, save those that were over before anything was
    /// promised of them.
    private func lineSeen(of shard: ShardKey, _ account: Chronicle.Account) -> Timestamp {
        var (seen, next) = (account.discovered, account.checkpoint.parent)
        while let id = next,
            let parent = chronicle.shards[ShardKey(table: shard.table, stream: shard.stream, shard: id)]
        {
            if case .nothing? = parent.anchor, parent.checkpoint.status == .notNeeded { break }
            seen = min(seen, parent.discovered)
            next = parent.checkpoint.parent
        }
        return seen
    }

    /// Waits as a dead letter, or was settled by hand.
    private func isPutAside(_ number: SequenceNumber, of shard: ShardKey) -> Bool {
        guard let account = chronicle.shards[shard] else { return false }
        return account.settled.contains(number)
            || account.checkpoint.refusals.contains { $0.sequenceNumber == number }
    }

    /// Whether a scan that is finished holds what it led to: it lies before the anchor, or its shard was over when the scan began.
    private func isScanned(_ place: Int, _ record: Truth.Record, of shard: ShardKey) -> Bool {
        guard let table = chronicle.tables[shard.table], let began = table.scanBegan, table.scanFinished != nil
        else { return false }
        if let account = chronicle.shards[shard], !account.wasOver, case .iterator? = account.anchor {
            if place < owed(of: shard) { return true }
            // The scan that follows another stream holds what this one would have brought.
            guard shard.stream != table.stream else { return false }
        }
        return record.made <= began.microseconds
    }

    private static func covers(_ declared: Chronicle.Declared, _ record: Truth.Record) -> Bool {
        if let from = declared.lost.from, record.number <= from { return false }
        if declared.lost.cause == .streamReplaced, let since = declared.lost.since, record.made < since.microseconds {
            return false
        }
        return declared.lost.cause == .shardGone
            || Timestamp(microseconds: record.made) + retention <= declared.time + slack
    }

    /// The stream is sure to hold for 23 hours what it holds when a shard is seen.
    private static func isOlder(_ record: Truth.Record, than seen: Timestamp) -> Bool {
        Timestamp(microseconds: record.made) + .seconds(3600) <= seen + slack
    }

    /// A shard that came and went unseen: before anything was seen of its table, or the loss of what it followed, or of what
    /// follows it, tells of it.
    private func isExcused(unseen record: Truth.Record, of shard: ShardKey) -> Bool {
        if let first = chronicle.tables[shard.table]?.firstSeen, Self.isOlder(record, than: first) { return true }
        return chronicle.shards.contains { other, account in
            !account.losses.isEmpty && (descends(other, from: shard) || descends(shard, from: other))
                && account.losses.contains {
                    Timestamp(microseconds: record.made) + Self.retention <= $0.time + Self.slack
                }
        }
    }

    private func descends(_ shard: ShardKey, from ancestor: ShardKey) -> Bool {
        guard shard.table == ancestor.table, shard.stream == ancestor.stream else { return false }
        var next = parents[shard]
        while let current = next {
            if current == ancestor.shard { return true }
            next = parents[ShardKey(table: shard.table, stream: shard.stream, shard: current)]
        }
        return false
    }

    // MARK: - Streams

    /// Whether the table went on without what is left of an older stream that the journal never knew: it was over before anybody
    /// followed the table, or the loss of what came between two others was declared.
    private func isLeft(_ arn: StreamARN, of table: TableName) -> Bool {
        guard let over = truth.stream(arn, of: table)?.disabled else { return false }
        guard let account = chronicle.tables[table], let begun = account.begun else { return true }
        let isKnown = chronicle.shards.keys.contains { $0.stream == arn && $0.table == table }
        return !isKnown
            && (over <= begun || standing.contains(table) || account.losses.contains { over <= $0.time })
    }

    /// Whether nothing of a stream can be read any more.
    private func isGone(_ arn: StreamARN, of table: TableName, _ trimmed: Trimmed) -> Bool {
        truth.shards.keys.allSatisfy { $0.table != table || $0.stream != arn || trimmed($0) == truth.count(of: $0) }
    }

    /// Whether an item may differ whose last change no stream has.
    private func isLeft(
        unstreamed item: Disk.ItemID, made: Timestamp, from image: [UInt8]?, _ letters: Set<Disk.ItemID>
    ) -> Bool {
        guard let account = chronicle.tables[item.table], let begun = account.begun else { return true }
        if let scanned = account.scanBegan, account.scanFinished != nil, made <= scanned {
            // A scan brings what is there, unless the target can't hold it.
            let isTouched = touched[item.table]?.items.contains(item) == true
            return image == nil && (isTouched || !isSwept(account)) || letters.contains(item)
        }
        return made <= begun || account.losses.contains { made <= $0.time } || standing.contains(item.table)
    }

    /// Whether the table's newest scan has removed what the source had no more.
    private func isSwept(_ account: Chronicle.TableAccount) -> Bool { listsRows && account.isScannedAgain }

    /// What is owed of a table's older streams, can still be read, and is not in the target.
    private func unread(of table: TableName, before stream: StreamARN, _ trimmed: Trimmed) -> ShardKey? {
        guard let streams = truth.streams[table], streams.count > 1 else { return nil }
        let older = Set(streams.prefix { $0.arn != stream }.map(\.arn))
        guard !older.isEmpty else { return nil }
        return truth.shards.keys.filter { $0.table == table && older.contains($0.stream) }.sorted().first { shard in
            let start = max(owed(of: shard), trimmed(shard))
            return start < truth.count(of: shard)
                && !missing(start..<truth.count(of: shard), of: shard, trimmed).isEmpty
        }
    }

    /// A loss is declared of a table: it must have another stream, and what is left of the one before must have been read.
    package func violations(
        of lost: RangeLost, of table: TableName, at time: Timestamp, _ trimmed: Trimmed
    ) -> [Violation] {
        guard lost.cause == .streamReplaced, let account = chronicle.tables[table], let before = account.stream,
            let next = truth.streams[table]?.last(where: { $0.created <= time }), next.arn != before
        else { return [Violation(.unfounded, "\(table): \(lost.cause.rawValue) is declared: \(lost.detail)")] }
        var found: [Violation] = []
        if account.phase == .incrSync, let shard = unread(of: table, before: next.arn, trimmed), shard.stream == before
        {
            found.append(Violation(.unfounded, "\(table): its stream is given up, and \(shard) can still be read"))
        }
        if let since = lost.since, let over = truth.stream(before, of: table)?.disabled,
            let first = truth.gaps[table]?.first(where: { $0 >= over }), first < since
        {
            found.append(Violation(.unfounded, "\(table): all until \(since) is said to be in the target"))
        }
        return found
    }

    // MARK: - Another journal

    /// What the judge knows by the journal.
    package struct ByJournal: Sendable {
        fileprivate let chronicle: Chronicle
        fileprivate let promises: Promises
        fileprivate let touched: [TableName: Touched]

        /// Whether something was known of each of these tables' shards.
        package func knows(_ tables: some Sequence<TableName>) -> Bool {
            tables.allSatisfy { table in chronicle.shards.keys.contains { $0.table == table } }
        }
    }

    package var byJournal: ByJournal { ByJournal(chronicle: chronicle, promises: promises, touched: touched) }

    /// Another journal takes the place of the one that was. What that excused, and the target's own position says to be done, nobody
    /// can know any more.
    package mutating func go(by journal: ByJournal, _ trimmed: Trimmed) {
        for (shard, position) in disk.positions {
            guard let log = truth.shards[shard], let last = log.places[position.sequenceNumber] else { continue }
            let held = disk.holds[shard] ?? []
            for (place, record) in log.records[...last].enumerated()
            where !held.contains(record.number) && !record.isLeftOut {
                guard place < owed(of: shard) || isExcused(place, of: shard, trimmed) else { continue }
                forgotten.insert(Disk.Origin(shard: shard, number: record.number))
            }
        }
        (chronicle, promises, touched) = (journal.chronicle, journal.promises, journal.touched)
        readings = Readings()
    }

    // MARK: - At a write

    package mutating func violations(of entry: Disk.Entry, _ trimmed: Trimmed) -> [Violation] {
        var found = scanned(entry)
        guard case .shard(let shard, let epoch, _) = entry.origin else { return found }
        guard let current = chronicle.checkpoint(shard) else {
            return [Violation(.invented, "\(shard): written without a checkpoint")]
        }
        guard let log = truth.shards[shard] else {
            return [Violation(.invented, "\(shard): written, and the source has no record of it")]
        }
        var places: [Int] = []
        for change in entry.changes {
            guard let origin = change.row.change, let place = log.places[origin.number] else {
                found.append(Violation(.invented, "\(shard): a record that the source never made"))
                continue
            }
            places.append(place)
            if change.item != log.records[place].item || change.row.image != log.records[place].image {
                found.append(Violation(.invented, "\(shard): record \(origin.number) is not as it was made"))
            }
        }
        for (place, next) in zip(places, places.dropFirst())
        where next != place + 1 && !(next > place && isPassedOver(place + 1..<next, of: shard)) {
            found.append(Violation(.skipped, "\(shard): a batch with a gap, or out of order: \(places)"))
            break
        }
        // What an operator's rewind has overtaken is read again from there.
        if epoch == current.epoch, let first = places.first {
            found += gap(before: first, of: shard, log, current, trimmed)
            if let parent = current.parent.flatMap({
                chronicle.checkpoint(ShardKey(table: shard.table, stream: shard.stream, shard: $0))
            }), !parent.status.letsChildrenStart {
                found.append(
                    Violation(
                        .lineage,
                        "\(shard): written while its parent \(parent.shard.shard) is \(parent.status.rawValue)"))
            }
        }
        // A scan that goes on beside it brings what older streams would have brought.
        if chronicle.tables[shard.table]?.phase != .fullSync,
            let older = unread(of: shard.table, before: shard.stream, trimmed)
        {
            found.append(Violation(.lineage, "\(shard): written while \(older), of an older stream, can still be read"))
        }
        return found + steps(back: entry)
    }

    /// Order, beside a scan: no row of it goes over what the stream has changed since it began.
    private mutating func scanned(_ entry: Disk.Entry) -> [Violation] {
        guard let account = chronicle.tables[entry.table], account.phase == .fullSync,
            let since = account.anchored?.position
        else { return [] }
        if touched[entry.table]?.since != since { touched[entry.table] = Touched(since: since) }
        let what: String
        switch entry.origin {
        case .shard:
            touched[entry.table]?.items.formUnion(entry.changes.map(\.item))
            return []
        case .scan: what = "a row of the scan is written over"
        case .repair: return []
        case .sweep: what = "the sweep removes"
        }
        // What the journal does not claim yet may be written again, rows and changes of one group in their order.
        return entry.changes.map(\.item).filter { item in
            guard touched[entry.table]?.items.contains(item) == true, let change = disk.rows[item]?.change else {
                return false
            }
            return chronicle.checkpoint(change.shard)?.claims(change.number) == true
        }.map {
            Violation(.order, "\(entry.table): \(what) what changed \($0) since the scan began")
        }
    }

    /// Whether a filter leaves each of these out, or the target has refused it as often as it is asked, so that it is put aside with
    /// the next append.
    private func isPassedOver(_ places: Range<Int>, of shard: ShardKey) -> Bool {
        places.allSatisfy { place in
            guard let record = truth.shards[shard]?.records[place] else { return false }
            return record.isLeftOut
                || refused[Disk.Origin(shard: shard, number: record.number), default: 0] >= Self.attempts
        }
    }

    /// Loss: a batch begins where the journal stands, or at what is owed.
    private func gap(
        before first: Int, of shard: ShardKey, _ log: Truth.Log, _ current: Checkpoint, _ trimmed: Trimmed
    ) -> [Violation] {
        let expected: Int
        if let number = current.sequenceNumber, let place = log.places[number] {
            expected = current.iteratorType == .atSequenceNumber ? place : place + 1
        } else if case .iterator(let iterator, _)? = current.storedIterator {
            expected = anchors[iterator] ?? 0
        } else {
            expected = 0
        }
        guard first > expected else { return [] }
        let gone = trimmed(shard)
        let (held, owed) = (disk.holds[shard] ?? [], owed(of: shard))
        let skipped = (expected..<first).filter { place in
            // What a replay can't bring any more was brought before it, or was never owed.
            !(place < gone && (place < owed || held.contains(log.records[place].number)))
                && !isPassedOver(place..<place + 1, of: shard)
                && !isExcused(place, of: shard, trimmed)
        }
        return skipped.isEmpty
            ? [] : [Violation(.skipped, "\(shard): records \(skipped) of \(expected)..<\(first) are skipped")]
    }

    /// Order: a change is not written over a newer one that the journal claims.
    private func steps(back entry: Disk.Entry) -> [Violation] {
        var rows: [Disk.ItemID: Disk.Origin] = [:]
        return entry.changes.compactMap { written in
            guard let change = written.row.change, let record = truth.record(change) else { return nil }
            defer { rows[written.item] = change }
            guard let before = rows[written.item] ?? disk.rows[written.item]?.change,
                let newer = truth.record(before), newer.ordinal > record.ordinal,
                chronicle.checkpoint(before.shard)?.claims(before.number) == true
            else { return nil }
            return Violation(
                .order, "\(change.shard): change \(record.ordinal) of an item is written over change \(newer.ordinal)")
        }
    }

    // MARK: - At an event

    /// A loss is declared of a shard, at this moment: something must be lost, or nobody can know.
    package func violation(of lost: RangeLost, of shard: ShardKey, at time: Timestamp, _ trimmed: Trimmed) -> Violation?
    {
        let (gone, held) = (trimmed(shard), disk.holds[shard] ?? [])
        let start = owed(of: shard)
        let records = truth.shards[shard]?.records ?? []
        if start < gone, records[start..<gone].contains(where: { !held.contains($0.number) }) { return nil }
        guard readings.knows(shard, since: chronicle.shards[shard]?.rewound, at: time) else { return nil }
        return Violation(
            .unfounded,
            "\(shard): \(lost.cause.rawValue) is declared, though all of it was read, and for hours: \(lost.detail)")
    }

    /// A record is put aside: the target must have refused it, and refused it for itself.
    package func violation(of letter: RecordRefused, of shard: ShardKey) -> Violation? {
        guard let number = letter.sequenceNumber else {
            return Violation(.letter, "\(shard): a record without a number is put aside")
        }
        let times = refused[Disk.Origin(shard: shard, number: number), default: 0]
        guard times < Self.attempts else { return nil }
        return Violation(.letter, "\(shard): record \(number) is put aside, and was refused \(times) times")
    }

    // MARK: - At rest

    /// Invariant 4: whatever the journal claims, the target holds.
    package func unfounded(_ trimmed: Trimmed) -> [Violation] {
        chronicle.shards.keys.sorted().compactMap { shard in
            guard let checkpoint = chronicle.checkpoint(shard), let number = checkpoint.sequenceNumber,
                let log = truth.shards[shard], let place = log.places[number]
            else { return nil }
            // Of an older stream nothing is claimed any more once the table is to be scanned.
            if let table = chronicle.tables[shard.table], table.phase == .fullSync, table.stream != shard.stream {
                return nil
            }
            let end = checkpoint.iteratorType == .atSequenceNumber ? place : place + 1
            guard let missing = missing(owed(of: shard)..<max(end, owed(of: shard)), of: shard, trimmed).first else {
                return nil
            }
            return Violation(
                .claim, "\(shard): the journal is at \(number), and the target does not hold record \(missing)")
        }
    }

    /// Invariant 1: every record that is owed is in the target.
    package func lost(_ trimmed: Trimmed) -> [Violation] {
        truth.shards.keys.sorted().compactMap { shard in
            // It waits for a stream to be scanned beside.
            if standing.contains(shard.table), chronicle.tables[shard.table]?.phase == .fullSync { return nil }
            let places = missing(owed(of: shard)..<truth.count(of: shard), of: shard, trimmed)
            guard let first = places.first, let number = truth.shards[shard]?.records[first].number else { return nil }
            return Violation(.lost, "\(shard): \(places.count) records are lost, the first is \(number)")
        }
    }

    private func missing(_ places: Range<Int>, of shard: ShardKey, _ trimmed: Trimmed) -> [Int] {
        let (records, holds) = (truth.shards[shard]?.records ?? [], disk.holds[shard] ?? [])
        return places.filter {
            !holds.contains(records[$0].number) && !records[$0].isLeftOut && !isExcused($0, of: shard, trimmed)
        }
    }

    /// The target equals the source, item by item, save for what is excused of an item's last change.
    ///
    /// - Parameter letters: items that a scan brought and that wait as dead letters.
    package func differences(
        of table: TableName, from source: [Disk.ItemID: [UInt8]], letters: Set<Disk.ItemID>, _ trimmed: Trimmed
    ) -> [Violation] {
        if standing.contains(table), chronicle.tables[table]?.phase == .fullSync { return [] }
        var items = Set(source.keys)
        for (item, row) in disk.rows where item.table == table && row.image != nil { items.insert(item) }
        let different = items.filter { item in
            disk.rows[item]?.image != source[item] && !mayDiffer(item, from: source[item], letters, trimmed)
        }
        guard let first = different.min(by: { $0.description < $1.description }) else { return [] }
        return [
            Violation(
                .difference,
                "\(table): \(different.count) items differ, as \(first): the source has \(Self.text(source[first])), "
                    + "the target \(Self.text(disk.rows[first]?.image)), and its last change is "
                    + (truth.newest[first].map { "record \($0.number) of \($0.shard)" } ?? "older than the stream"))
        ]
    }

    private static func text(_ image: [UInt8]?) -> String {
        image.map { String(decoding: $0, as: UTF8.self) } ?? "nothing"
    }

    private func mayDiffer(
        _ item: Disk.ItemID, from image: [UInt8]?, _ letters: Set<Disk.ItemID>, _ trimmed: Trimmed
    ) -> Bool {
        if let made = truth.unstreamed[item] { return isLeft(unstreamed: item, made: made, from: image, letters) }
        guard let newest = truth.newest[item], let place = truth.place(of: newest),
            let record = truth.record(newest), disk.rows[item]?.change != newest
        else { return false }
        if isPutAside(newest.number, of: newest.shard) { return true }
        if isScanned(place, record, of: newest.shard) {
            // A scan brings what is there, unless the target can't hold it, and only a first one leaves what is not. Where the
            // stream has brought what is older, since the scan began or in a replay, that stays until it comes to this record, which
            // may be lost.
            let isFollowed = disk.rows[item]?.change != nil
            let isTouched = touched[item.table]?.items.contains(item) == true
            let leavesNone = chronicle.tables[item.table].map { isSwept($0) } ?? false
            return image == nil && !isTouched && !leavesNone || letters.contains(item) || isLostBesideScan(item)
                || isFollowed
                    && (isLost(place, record, of: newest.shard, trimmed) || isLeft(newest.shard.stream, of: item.table))
        }
        return place < owed(of: newest.shard) || isExcused(place, of: newest.shard, trimmed)
    }

    /// Whether the stream had changed an item beside its table's scan, and that was lost before it was written: its row is left out
    /// all the same.
    private func isLostBesideScan(_ item: Disk.ItemID) -> Bool {
        guard let account = chronicle.tables[item.table], let since = account.anchored?.time else { return false }
        return truth.shards.contains { shard, log in
            guard shard.table == item.table else { return false }
            let losses = ((chronicle.shards[shard]?.losses ?? []) + account.losses).filter { $0.time >= since }
            return !losses.isEmpty
                && log.records.contains { record in
                    record.item == item && losses.contains { Self.covers($0, record) }
                }
        }
    }

    /// A file holds each record once, unless it was read again on purpose.
    package var repeated: [Violation] {
        var seen: [Disk.Origin: UInt64] = [:]
        var found: [Violation] = []
        for entry in disk.log {
            guard case .shard(let shard, let epoch, _) = entry.origin else { continue }
            for change in entry.changes.compactMap(\.row.change) {
                if let before = seen[change], before >= epoch.number {
                    found.append(Violation(.twice, "\(shard): record \(change.number) is twice in the file"))
                }
                seen[change] = epoch.number
            }
        }
        return Array(found.prefix(3))
    }
}

extension Checkpoint {
    /// Whether it says that the record is durable in the target.
    fileprivate func claims(_ number: SequenceNumber) -> Bool {
        guard let own = sequenceNumber else { return false }
        return iteratorType == .atSequenceNumber ? number < own : number <= own
    }
}
