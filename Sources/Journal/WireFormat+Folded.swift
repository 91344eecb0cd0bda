internal import JournalWire
internal import StreamModel
internal import SwiftProtobuf

/// What lies in the log instead of events that were folded.
extension WireFormat {
    /// The whole value: the chain's value after the stretch, the bytes, and at their end their own hash.
    static func encode(_ stretch: FoldedStretch, onto writer: inout WireWriter) {
        let start = writer.count
        writer.skip(ChainHash.count)
        writer.number(1, stretch.first.number)
        writer.number(2, stretch.runs.map(\.time.microseconds).max() ?? 0)
        writer.number(3, stretch.writer.position.number)
        writer.message(31) { writer in
            writer.number(1, stretch.last.number)
            writer.message(2) { $0.append(stretch.before) }
            var before: ShardKey?
            for run in stretch.runs {
                writer.message(3) { writer in
                    writer.number(1, UInt64(run.shard))
                    writer.number(2, run.first.number)
                    writer.number(3, run.last.number)
                    writer.number(4, run.firstRevision.number)
                    writer.number(5, run.count)
                    writer.number(6, run.previous.number)
                    writer.number(7, run.since.microseconds)
                    writer.number(8, run.time.microseconds)
                    switch run.rest {
                    case .advance(let advance): writer.message(9) { encode(advance, onto: &$0) }
                    case .history(let checkpoint, let lastAdvance):
                        writer.message(10) { encode(checkpoint, onto: &$0) }
                        let name = checkpoint.shard
                        writer.message(11) { writer in
                            writer.text(1, name.table == before?.table ? "" : name.table.text)
                            writer.text(2, name.stream == before?.stream ? "" : name.stream.text)
                            writer.text(3, name.shard.text)
                        }
                        before = name
                        writer.number(12, lastAdvance?.number ?? 0)
                    }
                }
            }
            writer.message(4) { $0.append(.zero) }
        }
        stretch.after.write(to: &writer, at: start)
        let end = writer.count - ChainHash.count
        let check = writer.withBytes(in: start..<end) { ChainHash(over: $0) }
        check.write(to: &writer, at: end)
    }

    /// Whether the last bytes of a folded stretch's value are the hash of those before them.
    static func isWhole(_ value: Span<UInt8>) -> Bool {
        guard value.count > 2 * ChainHash.count else { return false }
        let end = value.count - ChainHash.count
        return ChainHash(over: value.extracting(0..<end)) == ChainHash(value.extracting(droppingFirst: end))
    }

    static func stretch(
        _ event: WireEvent, _ folded: Shake_Journal_V1_AdvancesFolded, after: ChainHash
    ) -> FoldedStretch? {
        let before = [UInt8](folded.before)
        guard before.count == ChainHash.count else { return nil }
        var runs: [FoldedStretch.Run] = []
        runs.reserveCapacity(folded.runs.count)
        var named: ShardKey?
        for run in folded.runs {
            guard let shard = UInt32(exactly: run.shard) else { return nil }
            let rest: FoldedStretch.Run.Rest
            if run.hasState {
                guard !run.name.shard.isEmpty, !run.hasAdvance else { return nil }
                let name = ShardKey(
                    table: run.name.table.isEmpty ? named?.table ?? TableName("") : TableName(run.name.table),
                    stream: run.name.stream.isEmpty ? named?.stream ?? StreamARN("") : StreamARN(run.name.stream),
                    shard: ShardID(run.name.shard))
                guard let checkpoint = checkpoint(run.state, of: name) else { return nil }
                rest = .history(checkpoint, lastAdvance: run.advanced == 0 ? nil : Position(run.advanced))
                named = name
            } else {
                guard let advance = advance(run.advance) else { return nil }
                rest = .advance(advance)
            }
            runs.append(
                FoldedStretch.Run(
                    shard: shard, previous: Position(run.previous), first: Position(run.first),
                    firstRevision: Revision(run.firstRevision), since: Timestamp(microseconds: run.since),
                    count: run.count, last: Position(run.last), time: Timestamp(microseconds: run.time), rest: rest))
        }
        return FoldedStretch(
            first: Position(event.position), last: Position(folded.last), writer: RunID(Position(event.run)),
            before: ChainHash(before), after: after, runs: runs)
    }
}

extension WireWriter {
    fileprivate mutating func append(_ hash: ChainHash) {
        let start = skip(ChainHash.count)
        hash.write(to: &self, at: start)
    }
}
