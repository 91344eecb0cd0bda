internal import Dispatcher
internal import Journal
internal import StreamModel

/// What the target holds of a shard, as far as the journal vouches for it.
struct Standpoint {
    private(set) var sentences: [String] = []

    init(_ facts: ShardFacts) {
        let checkpoint = facts.checkpoint
        let brought =
            "\(Spoken.count(checkpoint.records, "record")) (\(Spoken.size(checkpoint.bytes)))"
            + (checkpoint.epoch == .first ? "" : ", those that were brought again counted again")
        let newest = checkpoint.approximateTime.map { ", the newest made at \(Spoken.time($0).prefix(19)) UTC" } ?? ""
        if facts.isImported {
            sentences.append(Self.imported(checkpoint, by: facts.importedFrom))
        } else {
            switch checkpoint.status {
            case .notNeeded:
                sentences.append("Nothing of it is to be read: what it holds is older than what the table began with.")
            case .done:
                let isWhole = checkpoint.refusals.isEmpty && checkpoint.loss == nil
                sentences.append(
                    "It was read to its end, and all of it is in the target"
                        + (isWhole ? "" : ", save what is said below") + ": \(brought)\(newest).")
            case .lost:
                sentences.append(
                    "\(Self.left): "
                        + (checkpoint.records == 0
                            ? "nothing of it is in the target." : "in the target are \(brought)\(newest)."))
            case .notProcessed, .prepared, .inProcessing, .waitingForParent:
                sentences.append(Self.place(checkpoint, brought, newest))
            }
        }
        if let since = checkpoint.importedSince, !checkpoint.status.letsChildrenStart {
            sentences.append(
                "Nothing was brought since the import"
                    + (since.microseconds > 0 ? ": what was made after \(Spoken.time(since).prefix(19)) UTC is owed." : "."))
        }
        if let until = checkpoint.accountedUntil, checkpoint.approximateTime.map({ $0 < until }) ?? true {
            sentences.append("It said that it was in step: nothing that was made until \(Spoken.time(until).prefix(19)) UTC is missing.")
        }
        if let loss = checkpoint.loss { sentences.append("\(KnownLoss(shard: checkpoint.shard, loss).words).".capitalizedFirst) }
        if !checkpoint.refusals.isEmpty {
            let count = checkpoint.refusals.count
            sentences.append(
                count == 1
                    ? "1 record of it could not be held by the target, and waits as a dead letter."
                    : "\(Spoken.count(UInt64(count))) records of it could not be held by the target, and wait as dead letters.")
        }
        if checkpoint.epoch != .first {
            sentences.append("It is in epoch \(checkpoint.epoch): so often it was set back.")
        }
    }

    private static let left = "It left the stream before it was read to its end"

    /// What the target holds by another program's word alone: no position there speaks of it, and nothing of it was counted here.
    private static func imported(_ checkpoint: Checkpoint, by program: String) -> String {
        switch (checkpoint.status, checkpoint.iteratorType, checkpoint.sequenceNumber) {
        case (.notNeeded, _, _): "Nothing of it is read here: by the word of \(program) there was nothing left to bring."
        case (.done, _, _): "By the word of \(program), which it was taken over from, it was read to its end, and all of it is in the target."
        case (.lost, .atSequenceNumber, let number?):
            "\(left): by the word of \(program), which it was taken over from, all before the record \(number) is in the target, and no more."
        case (.lost, _, let number?):
            "\(left): by the word of \(program), which it was taken over from, all up to and including \(number) is in the target, and no more."
        case (.lost, _, nil): "\(left). It was taken over from \(program), to be read from its start: nothing of it is in the target."
        case (_, .atSequenceNumber, let number?):
            "It was taken over from \(program): the record \(number) is the next to be brought, and by its word all before it is in the target."
        case (_, _, let number?):
            "It was taken over from \(program): by its word all up to and including \(number) is in the target."
        case (_, _, nil): "It was taken over from \(program), and is to be read from its start."
        }
    }

    private static func place(_ checkpoint: Checkpoint, _ brought: String, _ newest: String) -> String {
        switch (checkpoint.iteratorType, checkpoint.sequenceNumber) {
        case (.afterSequenceNumber, let number?):
            return "All up to and including \(number) is durable in the target: \(brought)\(newest)."
        case (.atSequenceNumber, let number?):
            return "It was set to \(number): that record is the next to be brought (again). Brought so far: \(brought)."
        case (.trimHorizon, let number?):
            return "All up to and including \(number) is in the target, and the next is the oldest that the stream still has: \(brought)\(newest)."
        case (.latest, _):
            return checkpoint.status == .notProcessed
                ? "It is to be entered at its newest record: what came before is not brought from here."
                : "It was entered at its newest record: what came before is not brought from here."
        case (_, nil):
            return checkpoint.records == 0
                ? "Nothing of it was brought yet: it is to be read from its start."
                : "It was set to its start: all of it is to be brought again. Brought so far: \(brought)."
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
