internal import Dispatcher
internal import Journal
internal import StreamModel

/// `dead-letters`: what waits.
struct DeadLettersView: Sendable {
    let letters: [WaitingLetter]

    var json: [JSON] { letters.map(\.json) }

    func lines(_ palette: Palette) -> [String] {
        guard !letters.isEmpty else { return ["No dead letter waits: the target holds every record that came."] }
        var text = TextTable([.init("LETTER", .right), .init("TIME (UTC)"), .init("RECORD")])
        for letter in letters {
            text.rows.append(
                .cells([
                    .init(letter.position.description, .bold), .init(Spoken.time(letter.time)), .init(letter.name),
                ]))
            text.rows.append(.note(.init(letter.refused.cause, .red)))
        }
        return text.lines(palette) + [
            "",
            "`shakectl dead-letters show LETTER` gives its bytes, retry delivers it again, settle takes it off the list.",
        ]
    }
}

extension WaitingLetter {
    var json: JSON {
        [
            "letter": .unsigned(position.number),
            "time": .string(time.description),
            "table": .string(table.text),
            "stream": .string(shard?.stream.text),
            "shard": .string(shard?.shard.text),
            "sequence_number": .string(refused.sequenceNumber?.text),
            "code": .string(refused.code),
            "cause": .string(refused.cause),
            "offset": .unsigned(refused.offset),
            "bytes": .unsigned(refused.bytes),
        ]
    }
}
