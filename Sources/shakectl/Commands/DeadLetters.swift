internal import Foundation
internal import Journal
internal import StreamModel

/// A record that was put aside and that nobody has settled, as the journal says.
struct WaitingLetter: Sendable {
    let table: TableName
    /// `nil`: it is an item of a full sync.
    let shard: ShardKey?
    /// Of the shard, as it was seen.
    let revision: Revision?
    let position: Position
    let time: Timestamp
    let refused: RecordRefused

    /// What it is, for a sentence.
    var name: String {
        switch (shard, refused.sequenceNumber) {
        case (let shard?, let number?): "the record at \(number) of \(shard)"
        default: "an item of \(table), of its full sync"
        }
    }

    /// Whether a line of the file is of this record. After the file was moved away another one may begin at the same byte and
    /// be as long.
    func isKept(in line: [UInt8]) -> Bool {
        guard let kept = try? JSONDecoder().decode(Kept.self, from: Data(line)) else { return false }
        return kept
            == Kept(
                table: table.text, stream: shard?.stream.text, shard: shard?.shard.text,
                sequenceNumber: refused.sequenceNumber?.text, cause: refused.cause)
    }

    /// What a line says of where its record is from. Of an item of a full sync it is only the table, and the cause.
    private struct Kept: Decodable, Equatable {
        let table: String
        let stream: String?
        let shard: String?
        let sequenceNumber: String?
        let cause: String

        enum CodingKeys: String, CodingKey {
            case table, stream, shard, cause
            case sequenceNumber = "sequence_number"
        }
    }
}

/// What waits, and what is to be appended about it.
enum DeadLetters {
    /// By position: oldest first.
    static func all(in journal: Journal) throws(ShakectlError) -> [WaitingLetter] {
        var letters: [WaitingLetter] = []
        for table in try asking(journal.tables) {
            for position in table.refusals {
                letters.append(try letter(at: position, of: table.table, nil, in: journal))
            }
        }
        for checkpoint in try asking(journal.checkpoints) {
            for refusal in checkpoint.refusals {
                letters.append(
                    try letter(at: refusal.position, of: checkpoint.shard.table, checkpoint, in: journal))
            }
        }
        return letters.sorted { $0.position < $1.position }
    }

    private static func letter(
        at position: Position, of table: TableName, _ checkpoint: Checkpoint?, in journal: Journal
    ) throws(ShakectlError) -> WaitingLetter {
        let event = try asking { () throws(JournalError) in
            try journal.events(after: Position(position.number - 1), limit: 1)
        }.first
        guard let event, case .recordRefused(let refused) = event.payload else {
            throw .journal(
                .damaged(
                    path: journal.path, position: position, problem: "the state names a refused record, which is none"))
        }
        return WaitingLetter(
            table: table, shard: checkpoint?.shard, revision: checkpoint?.revision, position: position,
            time: event.time,
            refused: refused)
    }

    /// - Throws: `.usage` for a number that is none of theirs.
    static func find(_ positions: [Position], in letters: [WaitingLetter]) throws(ShakectlError) -> [WaitingLetter] {
        var found: [WaitingLetter] = []
        for position in positions {
            guard let letter = letters.first(where: { $0.position == position }) else {
                throw .usage("no dead letter \(position) waits: `shakectl dead-letters` lists those that do")
            }
            found.append(letter)
        }
        return found
    }

    /// Those of one shard's that don't come again by themselves.
    static func due(_ letters: [WaitingLetter], of checkpoint: Checkpoint) -> [WaitingLetter] {
        letters.filter { letter in
            // What the journal no longer holds as refused was delivered again, or settled, since it was listed.
            checkpoint.refusals.contains { $0.position == letter.position && !checkpoint.bringsAgain($0) }
        }
    }

    /// What is set back to the first of a shard's letters brings the others with it; but a shard that was set back before that
    /// one already comes to it by itself.
    ///
    /// - Throws: `.usage` with what to do, `.journal`.
    static func checkPlaces(of letters: [WaitingLetter], in journal: Journal) throws(ShakectlError) {
        for (shard, letters) in Dictionary(grouping: letters, by: \.shard) {
            guard let shard, let first = letters.compactMap(\.refused.sequenceNumber).min(),
                let checkpoint = try asking({ () throws(JournalError) in try journal.checkpoint(of: shard) }),
                checkpoint.sequenceNumber.map({ first > $0 }) ?? true
            else { continue }
            let table = try asking { () throws(JournalError) in try journal.table(shard.table) }
            let fault = table?.lastFault.flatMap { $0.time >= checkpoint.updated ? $0 : nil }
            throw .usage(
                "the record at \(first) of \(shard) lies ahead of the shard's checkpoint, which is "
                    + "\(checkpoint.sequenceNumber?.text ?? "its start"): it is delivered again by itself, once the replay comes to it"
                    + (fault.map { ". But the table is stopped: \($0.message)" } ?? ""))
        }
    }

    /// One draft for each shard or table.
    static func settling(_ letters: [WaitingLetter], author: String, reason: String) -> [Draft] {
        func settled(_ letters: [WaitingLetter]) -> [Payload] {
            letters.map { .refusalSettled(RefusalSettled(refusal: $0.position, author: author, reason: reason)) }
        }
        let ofShards = Dictionary(grouping: letters.filter { $0.shard != nil }) { $0.shard }
        let ofTables = Dictionary(grouping: letters.filter { $0.shard == nil }) { $0.table }
        return ofTables.sorted { $0.key < $1.key }.map { Draft(table: $0.key, settled($0.value)) }
            + ofShards.sorted { $0.value[0].position < $1.value[0].position }.compactMap { shard, letters in
                shard.map { Draft(shard: $0, expecting: letters[0].revision ?? .none, settled(letters)) }
            }
    }
}

extension Checkpoint {
    /// Whether the shard was set back before the record since that was refused, and has not come to it again.
    fileprivate func bringsAgain(_ refused: RefusedRecord) -> Bool {
        guard refused.epoch < epoch else { return false }
        guard let number = sequenceNumber, number >= refused.sequenceNumber else { return true }
        return number == refused.sequenceNumber && iteratorType == .atSequenceNumber
    }
}
