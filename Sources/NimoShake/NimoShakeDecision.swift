internal import Journal
internal import StreamModel

/// The rules by which NimoShake's rows become places, for one table.
///
/// NimoShake starts a shard again by the rows 2 to 6 of the start table (DESIGN 4.1), and so does Shake, with two differences. A
/// stored iterator is never used: NimoShake keeps the one of its newest empty page, and records that it has fetched and not written
/// lie before it. And what is read again before a shard's descendants sets those back, since older records must not be their last word.
struct NimoShakeDecision {
    private let table: NimoShakeCheckpoints.Table
    private let stream: KnownStream?
    private let source: String
    private let now: Timestamp
    /// By shard, the first of each: that is the one which NimoShake reads and writes.
    private var rows: [String: NimoShakeCheckpoint] = [:]
    private var order: [String] = []
    private var remarks: [NimoShakeOutlook.Remark] = []
    private let listed: [String: Shard]?

    /// How old a record may be that the stream is sure to hold: 24 hours, less one for what an import takes.
    static let surelyHeld: Duration = .seconds(23 * 3600)

    init(_ table: NimoShakeCheckpoints.Table, stream: KnownStream?, source: String, now: Timestamp) {
        self.table = table
        self.stream = stream
        self.source = source
        self.now = now
        listed = stream?.listing.map { listing in
            Dictionary(listing.map { ($0.id.text, $0) }, uniquingKeysWith: { first, _ in first })
        }
        for row in table.rows {
            if rows[row.shard] == nil {
                rows[row.shard] = row
                order.append(row.shard)
            } else if rows[row.shard] != row {
                remarks.append(
                    .init(
                        shard: row.shard,
                        "it stands there more than once; the first row counts, as for NimoShake, which reads and writes that one"
                    ))
            }
        }
    }

    mutating func decide(status: String?) -> NimoShakeOutlook {
        stop(status: status)
        guard let stream, !remarks.contains(where: \.stops) else { return outlook(nil) }
        look(at: stream)
        let shards = places()
        lookAtAge()
        for shard in shards where shard.imported.isOwedSinceNobodyKnows {
            remarks.append(
                .init(
                    shard: shard.shard.text,
                    "it is read from its start, and nothing says since when its records wait: the daemon declares that some may be "
                        + "lost (range_lost). Where NimoShake was at work within the last day, `shakectl ack \(table.name) --skip` goes on "
                        + "and nothing is missing"))
        }
        guard !remarks.contains(where: \.stops) else { return outlook(nil) }
        let imported = ImportedTable(
            table: table.name, stream: stream.arn, tableID: stream.tableID,
            reason: "imported from NimoShake's checkpoints in \(source), whose full sync was done", shards: shards)
        return outlook(imported)
    }

    private func outlook(_ imported: ImportedTable?) -> NimoShakeOutlook {
        NimoShakeOutlook(table: table.name, imported: imported, remarks: remarks)
    }

    // MARK: - What is wrong with the table

    private mutating func stop(status: String?) {
        switch status {
        case NimoShakeWords.followed?: break
        case nil:
            stop(
                "there is no \(NimoShakeWords.statusTable), so nothing says that NimoShake's full sync was done, and NimoShake would "
                    + "begin it again")
        case let other?:
            stop(
                "NimoShake's status is '\(other)' and not '\(NimoShakeWords.followed)': its full sync was not done, and NimoShake would "
                    + "begin it again")
        }
        if rows.isEmpty { stop("there is no checkpoint of any shard") }
        if stream == nil { stop("nothing says which stream its shards are of") }
        if let circle = circle() { stop("its parents run in a circle", shard: circle) }
    }

    private mutating func stop(_ text: String, shard: String? = nil) {
        remarks.append(.init(shard: shard, text, stops: true))
    }

    /// A shard that is its own ancestor, which no service lists.
    private func circle() -> String? {
        var clear: Set<String> = []
        for start in order {
            var path: Set<String> = []
            var next: String? = start
            while let id = next, let row = rows[id], !clear.contains(id) {
                guard path.insert(id).inserted else { return id }
                next = row.father.isEmpty ? nil : row.father
            }
            clear.formUnion(path)
        }
        return nil
    }

    private mutating func look(at stream: KnownStream) {
        guard let listed else { return }
        guard order.contains(where: { listed[$0] != nil }) else {
            stop(
                "none of its shards is in the table's stream \(stream.arn): that is another one than NimoShake followed, or all of them "
                    + "have left it")
            return
        }
        for shard in order where listed[shard] == nil {
            guard let row = rows[shard], NimoShakeStatus(rawValue: row.status)?.isOver == false else { continue }
            remarks.append(
                .init(
                    shard: shard,
                    "it was not read to its end, and the stream lists it no more: the daemon declares what is lost (range_lost), and "
                        + "--on-loss says how the table goes on"))
        }
    }

    /// Until when NimoShake is sure to have had its eye on the table.
    private var lastSign: Timestamp? {
        order.compactMap { rows[$0] }
            .flatMap { [NimoShakeTime.printed($0.approximateTime), NimoShakeTime.earliest($0.updated)] }
            .compactMap(\.self).max()
    }

    private mutating func lookAtAge() {
        let isOld = lastSign.map { now - $0 >= Self.surelyHeld } ?? true
        let since =
            lastSign.map { "no sign of NimoShake is sure to be younger than \($0)" }
            ?? "nothing says when NimoShake was here last"
        if table.isTorn, isOld {
            stop(
                "its last line is cut off, and \(since): shards may be missing whose records have left the stream unread"
            )
        } else if table.isTorn {
            remarks.append(
                .init(
                    "its last line is cut off: shards that are missing are read from their start, which brings records again and "
                        + "loses none"))
        } else if isOld {
            remarks.append(
                .init(
                    "\(since), and a stream keeps its records for 24 hours: where it has let go of what comes next, the daemon declares "
                        + "the loss (range_lost), and --on-loss says how the table goes on"))
        }
    }

    // MARK: - Places

    /// Parents before their children, so that what is above a shard is decided on before.
    private var parentsFirst: [String] {
        var placed: Set<String> = []
        var sorted: [String] = []
        for start in order {
            var line: [String] = []
            var next: String? = start
            while let id = next, let row = rows[id], placed.insert(id).inserted {
                line.append(id)
                next = row.father
            }
            sorted += line.reversed()
        }
        return sorted
    }

    private mutating func places() -> [ImportedTable.Shard] {
        var shards: [ImportedTable.Shard] = []
        /// Those that are still to be read.
        var unread: Set<String> = []
        for shard in parentsFirst {
            guard let row = rows[shard], var place = place(of: row) else { continue }
            let parent = parent(of: row)
            if let parent, unread.contains(parent) { place = behind(parent, row, place) }
            if !place.status.letsChildrenStart { unread.insert(shard) }
            shards.append(
                ImportedTable.Shard(
                    shard: ShardID(shard), parent: parent.map { ShardID($0) }, range: range(of: row, place),
                    imported: place))
        }
        return lostParents(of: shards) + shards
    }

    private func parent(of row: NimoShakeCheckpoint) -> String? {
        row.father.isEmpty ? listed?[row.shard]?.parent?.text : row.father
    }

    /// Where a shard goes on by its own row; `nil`, and the reason is noted, where that can't be told.
    private mutating func place(of row: NimoShakeCheckpoint) -> Imported? {
        guard let status = NimoShakeStatus(rawValue: row.status) else {
            stop("NimoShake has no status '\(row.status)'", shard: row.shard)
            return nil
        }
        let number = SequenceNumber(row.sequenceNumber)
        switch status {
        case .done:
            // Its last rows may not have come to the checkpoint: NimoShake says so only every 20 seconds.
            return imported(row, .done, .afterSequenceNumber, number)
        case .notNeeded:
            return imported(row, .notNeeded, .trimHorizon, nil)
        case .notProcessed, .waitingForParent:
            return imported(row, status == .notProcessed ? .notProcessed : .prepared, .trimHorizon, nil)
        case .prepared, .inProcessing: break
        }
        switch NimoShakeIterator(rawValue: row.iteratorType) {
        case .trimHorizon?:
            return imported(row, .prepared, .trimHorizon, nil)
        case .latest? where row.storedIterator.isEmpty:
            stop(
                "it was to be read from its newest record on, and nothing says which that was (LATEST without an iterator)",
                shard: row.shard)
        case .latest? where row.sequenceNumber.isEmpty:
            stop(
                "only an iterator says where it stands, and that lives for 15 minutes: it has no sequence number",
                shard: row.shard)
        case nil: stop("NimoShake has no iterator type '\(row.iteratorType)'", shard: row.shard)
        case .atSequenceNumber? where row.sequenceNumber.isEmpty,
            .afterSequenceNumber? where row.sequenceNumber.isEmpty:
            stop("it has no sequence number", shard: row.shard)
        case .latest?, .atSequenceNumber?, .afterSequenceNumber?:
            guard let number else {
                stop("'\(row.sequenceNumber)' is no sequence number", shard: row.shard)
                return nil
            }
            if let range = listed?[row.shard]?.range, range.isOutside(number) {
                stop("sequence number \(number) is not one of the shard's", shard: row.shard)
                return nil
            }
            guard row.iteratorType == NimoShakeIterator.latest.rawValue else {
                return imported(row, .prepared, .afterSequenceNumber, number)
            }
            let isMarker = row.storedIterator == NimoShakeWords.seeSequenceNumber
            return imported(
                row, .prepared, .atSequenceNumber, number,
                isMarker
                    ? ""
                    : "the stored iterator is not used: records that were fetched and not written may lie before it")
        }
        return nil
    }

    private func imported(
        _ row: NimoShakeCheckpoint, _ status: Status, _ type: IteratorType, _ number: SequenceNumber?,
        _ reason: String = ""
    ) -> Imported {
        Imported(
            status: status, iteratorType: type, sequenceNumber: number,
            approximateTime: number == nil ? nil : NimoShakeTime.printed(row.approximateTime),
            owedSince: owedSince(row, status, number), reason: reason, origin: origin(row))
    }

    private func origin(_ row: NimoShakeCheckpoint) -> Imported.Origin {
        Imported.Origin(
            program: "NimoShake", source: source, status: row.status, sequenceNumber: row.sequenceNumber,
            iteratorType: row.iteratorType, storedIterator: row.storedIterator, approximateTime: row.approximateTime,
            updated: row.updated, worker: row.worker)
    }

    /// Since when records may be owed that the journal is to bring: what was made before is in the target, or was never wanted.
    private func owedSince(_ row: NimoShakeCheckpoint, _ status: Status, _ number: SequenceNumber?) -> Timestamp? {
        if status == .notNeeded { return lastSign }
        if status == .done || number != nil { return readUntil(row) }
        // What is read from its start begins where its parent ended.
        return rows[row.father].flatMap(readUntil)
    }

    /// Up to when all that was made of a shard was written. One that never had a record says so by looking at it again and again.
    private func readUntil(_ row: NimoShakeCheckpoint) -> Timestamp? {
        if let time = NimoShakeTime.printed(row.approximateTime) { return time }
        let isSilent =
            row.iteratorType == NimoShakeIterator.latest.rawValue
            || row.iteratorType == NimoShakeIterator.trimHorizon.rawValue
        return isSilent ? NimoShakeTime.earliest(row.updated) : nil
    }

    /// A shard below one that is still to be read: whatever was brought of it, it comes after that again.
    private mutating func behind(_ parent: String, _ row: NimoShakeCheckpoint, _ place: Imported) -> Imported {
        var behind = place
        let begins = place.iteratorType == .trimHorizon && !place.status.letsChildrenStart
        behind.status = .waitingForParent
        behind.iteratorType = .trimHorizon
        behind.sequenceNumber = nil
        behind.approximateTime = nil
        behind.owedSince = rows[parent].flatMap(readUntil)
        if !begins {
            behind.reason = "its parent is not read to its end, so that it is read after that, from its start"
            remarks.append(
                .init(
                    shard: row.shard,
                    "NimoShake had begun it before its parent \(parent) was read to its end: it is read after that, from its start"
                ))
        }
        return behind
    }

    /// As the source lists it; of a shard that was to be read from its start, NimoShake has written down where that is.
    private func range(of row: NimoShakeCheckpoint, _ place: Imported) -> SequenceRange {
        if let shard = listed?[row.shard] { return shard.range }
        guard row.iteratorType == NimoShakeIterator.trimHorizon.rawValue, place.sequenceNumber == nil else {
            return SequenceRange()
        }
        return SequenceRange(starting: SequenceNumber(row.sequenceNumber))
    }

    /// Parents of which NimoShake has no row, and whose children it has taken up: it had none to wait for. To read one of them now
    /// would lay old records over those that its children have brought.
    private func lostParents(of shards: [ImportedTable.Shard]) -> [ImportedTable.Shard] {
        let missing = Set(shards.compactMap(\.parent?.text)).filter { rows[$0] == nil }
        return missing.sorted().compactMap { shard in
            if let listed, listed[shard] == nil { return nil }  // it is gone, and nobody would read it
            let imported = Imported(
                status: .notNeeded, iteratorType: .trimHorizon, sequenceNumber: nil, owedSince: lastSign,
                reason: "NimoShake has taken up a child of it, so it had nothing left to bring",
                origin: Imported.Origin(program: "NimoShake", source: source))
            return ImportedTable.Shard(
                shard: ShardID(shard), parent: listed?[shard]?.parent, range: listed?[shard]?.range ?? SequenceRange(),
                imported: imported)
        }
    }
}

extension Imported {
    fileprivate var isOwedSinceNobodyKnows: Bool {
        !status.letsChildrenStart && sequenceNumber == nil && owedSince == nil
    }
}

extension SequenceRange {
    fileprivate func isOutside(_ number: SequenceNumber) -> Bool {
        starting.map { number < $0 } ?? false || ending.map { number > $0 } ?? false
    }
}
