internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// Delivers what the target can hold, and puts aside what it can't.
extension Workshop {
    /// How often a record is refused before it is put aside, and how long is waited in between.
    private static let attempts = 3
    private static let pause: Duration = .milliseconds(100)

    /// Returns when `batch` is durable in the target and in the journal, or, of single records that the target can't hold for
    /// what they are, in `dead-letters.jsonl` and in the journal.
    ///
    /// - Parameters:
    ///   - letters: takes what is put aside.
    ///   - payload: what the journal learns of the batch once it is written, from the number of its records and the token.
    func deliver(
        _ batch: Batch, _ payload: @escaping @Sendable (_ records: UInt64, TargetToken?) -> Payload,
        as draft: @escaping @Sendable ([Payload]) -> Draft
    ) async throws -> TargetWriter.Delivery {
        var rest = batch
        var refused: [Payload] = []
        var trials = 0
        var suspect: Change?
        while true {
            do throws(DaemonError) {
                return try await writer.deliver(rest) { [rest, refused] token in
                    draft(refused + [payload(UInt64(rest.count), token)])
                }
            } catch {
                guard case .target(.unwritable(_, let what, let reason, let change?)) = error else { throw error }
                trials = suspect == change ? trials + 1 : 1
                suspect = change
                if trials < Self.attempts {
                    // A daemon that is told to stop leaves the batch to the next one.
                    guard await wait(Self.pause) else { throw CancellationError() }
                    continue
                }
                refused.append(try putAside(change, of: batch, error, what, reason, beside: refused.count))
                rest = rest.without(change)
            }
        }
    }

    private func putAside(
        _ change: Change, of batch: Batch, _ error: DaemonError, _ what: String, _ reason: String, beside others: Int
    ) throws -> Payload {
        let table = batch.table.name
        let waiting = try journal.refusals(of: table).count + others
        guard waiting < configuration.deadLetterLimit else {
            throw DaemonError.tooManyRefused(
                table: table, limit: configuration.deadLetterLimit, last: error.description)
        }
        let letter = DeadLetter(change, of: batch, target: target.name, cause: reason, time: now())
        let offset: UInt64
        do throws(TargetError) { offset = try deadLetters.append(letter) } catch { throw DaemonError.target(error) }
        logger.error(
            "the target can't hold a record; it is put aside",
            metadata: ["table": "\(table)", "record": "\(what)", "cause": "\(reason)", "file": "\(deadLetters.path)"])
        return .recordRefused(
            RecordRefused(
                sequenceNumber: change.sequenceNumber, code: error.code, cause: reason, offset: offset,
                bytes: UInt64(letter.line.count)))
    }
}
