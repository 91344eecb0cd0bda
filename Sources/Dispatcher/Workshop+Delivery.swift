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
    ///   - payload: what the journal learns of what was written: of `batch`, or of what is left of it.
    ///   - draft: makes an append of that, or of what was refused; after the revision that an append before it has led to, if
    ///     there was one.
    /// - Throws: `.tooManyRefused` where one more would have to be put aside than may wait; what comes before that one is
    ///   delivered first, as far as a batch can be cut.
    func deliver(
        _ batch: Batch, _ payload: @escaping @Sendable (Batch, TargetToken?) -> Payload,
        as draft: @escaping @Sendable ([Payload], _ after: Revision?) -> Draft
    ) async throws -> TargetWriter.Delivery {
        var rest = batch
        var revision: Revision?
        var excess: DaemonError?
        var trials = 0
        var suspect: Change?
        while true {
            do throws(DaemonError) {
                let delivery = try await writer.deliver(rest) { [rest, revision] _, token in
                    draft([payload(rest, token)], revision)
                }
                if let excess, case .journaled = delivery { throw excess }
                return delivery
            } catch {
                guard excess == nil, case .target(.unwritable(_, let what, let reason, let change?)) = error else {
                    throw error
                }
                trials = suspect == change ? trials + 1 : 1
                suspect = change
                if trials < Self.attempts {
                    // A daemon that is told to stop leaves the batch to the next one.
                    guard await wait(Self.pause) else { throw CancellationError() }
                    continue
                }
                if let tooMany = try tooMany(of: batch.table.name, error) {
                    guard let before = rest.cut(before: change, of: batch) else { throw tooMany }
                    (rest, excess) = (before, tooMany)
                    continue
                }
                // Before the rest is written: a target that keeps its position would pass the record with that, and after a kill
                // in between nobody would know of it.
                let refused = try putAside(change, of: batch, error.code, what, reason)
                do throws(JournalError) {
                    let receipts = try await journal.append([draft([refused], revision)])
                    revision = receipts.first?.checkpoint?.revision
                } catch {
                    guard case .conflict = error else { throw DaemonError.journal(error) }
                    return .displaced
                }
                rest = rest.without(change)
            }
        }
    }

    /// Why no other record of the table may be put aside, if so.
    private func tooMany(of table: TableName, _ error: DaemonError) throws -> DaemonError? {
        guard try journal.refusals(of: table).count >= configuration.deadLetterLimit else { return nil }
        return .tooManyRefused(table: table, limit: configuration.deadLetterLimit, last: error.description)
    }

    private func putAside(
        _ change: Change, of batch: Batch, _ code: String, _ what: String, _ reason: String
    ) throws(DaemonError) -> Payload {
        let line = DeadLetter(change, of: batch, target: target.name, cause: reason, time: now()).line
        let offset: UInt64
        do throws(TargetError) { offset = try deadLetters.append(line) } catch { throw .target(error) }
        instruments.refused(of: batch.table.name)
        logger.error(
            "the target can't hold a record; it is put aside",
            metadata: [
                "table": "\(batch.table.name)", "record": "\(what)", "cause": "\(reason)",
                "file": "\(deadLetters.path)",
            ])
        return .recordRefused(
            RecordRefused(
                sequenceNumber: change.sequenceNumber, code: code, cause: reason, offset: offset,
                bytes: UInt64(line.count)))
    }
}
