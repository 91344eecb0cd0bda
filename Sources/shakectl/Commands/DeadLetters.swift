internal import Foundation
internal import Journal
internal import StreamModel

extension WaitingLetter {
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

/// What an operator may ask of those that wait.
enum DeadLetters {
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
            if letters.retrial(of: checkpoint) == .outOfReach {
                throw .usage("the record at \(first) of \(shard) \(outOfReach(checkpoint))")
            }
            let table = try asking { () throws(JournalError) in try journal.table(shard.table) }
            let fault = table?.lastFault.flatMap { $0.time >= checkpoint.updated ? $0 : nil }
            throw .usage(
                "the record at \(first) of \(shard) lies ahead of the shard's checkpoint, which is "
                    + "\(checkpoint.sequenceNumber?.text ?? "its start"): it is delivered again by itself, once the replay comes to it"
                    + (fault.map { ". But the table is stopped: \($0.message)" } ?? ""))
        }
    }

    /// What is said of a record that no rewind brings back.
    static func outOfReach(_ checkpoint: Checkpoint) -> String {
        "lies ahead of where the shard stands, which is \(checkpoint.status.rawValue) and comes to it no more. `shakectl dead-letters "
            + "show` gives its bytes, and settle takes it off the list"
    }
}
