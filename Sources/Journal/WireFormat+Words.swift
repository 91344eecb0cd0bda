internal import JournalWire
internal import StreamModel
internal import SwiftProtobuf

/// Small words: each of ours, and the one of journal.proto for it.
extension WireFormat {
    static func bytes(_ message: some Message) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure(
                "only a missing required field, which proto3 has not, or 2 GiB of content keep a message from encoding")
        }
        return bytes
    }

    static func text(_ number: SequenceNumber?) -> String { number?.text ?? "" }
    static func number(_ text: String) -> SequenceNumber? { text.isEmpty ? nil : SequenceNumber(text) }
    static func wire(_ wanted: Wanted) -> String { if case .matching(let text) = wanted { text } else { "" } }
    static func wanted(_ text: String) -> Wanted { text.isEmpty ? .all : .matching(text) }
    static func tableID(_ text: String) -> TableID? { text.isEmpty ? nil : TableID(text) }

    static func wire(_ fault: Checkpoint.Fault) -> Shake_Journal_V1_Fault {
        .with {
            $0.code = fault.code
            $0.message = fault.message
            $0.time = fault.time.microseconds
            $0.isRetried = fault.isRetried
        }
    }

    static func fault(_ fault: Shake_Journal_V1_Fault) -> Checkpoint.Fault {
        Checkpoint.Fault(
            code: fault.code, message: fault.message, time: Timestamp(microseconds: fault.time),
            isRetried: fault.isRetried)
    }

    static func wire(_ loss: Loss) -> Shake_Journal_V1_Loss {
        .with {
            $0.lost = wire(loss.lost)
            $0.time = loss.time.microseconds
            $0.position = loss.position.number
            $0.isAcknowledged = loss.isAcknowledged
            $0.remedy = wire(loss.remedy)
        }
    }

    static func loss(_ loss: Shake_Journal_V1_Loss) -> Loss? {
        guard let lost = rangeLost(loss.lost) else { return nil }
        return Loss(
            lost, time: Timestamp(microseconds: loss.time), position: Position(loss.position),
            isAcknowledged: loss.isAcknowledged, remedy: policy(loss.remedy))
    }

    static func wire(_ pause: Pause) -> Shake_Journal_V1_Pause {
        .with {
            $0.author = pause.author
            $0.reason = pause.reason
            $0.time = pause.time.microseconds
            $0.position = pause.position.number
        }
    }

    static func pause(_ pause: Shake_Journal_V1_Pause) -> Pause {
        Pause(
            author: pause.author, reason: pause.reason, time: Timestamp(microseconds: pause.time),
            position: Position(pause.position))
    }

    static func wire(_ lost: RangeLost) -> Shake_Journal_V1_RangeLost {
        .with {
            $0.cause = wire(lost.cause)
            $0.from = text(lost.from)
            $0.to = text(lost.to)
            if let since = lost.since { $0.since = since.microseconds }
            $0.policy = wire(lost.policy)
            $0.detail = lost.detail
        }
    }

    static func rangeLost(_ lost: Shake_Journal_V1_RangeLost) -> RangeLost? {
        guard let cause = cause(lost.cause), let policy = policy(lost.policy) else { return nil }
        return RangeLost(
            cause: cause, from: number(lost.from), to: number(lost.to),
            since: lost.hasSince ? Timestamp(microseconds: lost.since) : nil, policy: policy, detail: lost.detail)
    }

    static func wire(_ cause: LossCause) -> Shake_Journal_V1_LossCause {
        switch cause {
        case .trimmed: .trimmed
        case .shardGone: .shardGone
        case .stoodStill: .stoodStill
        case .streamReplaced: .streamReplaced
        }
    }

    static func cause(_ cause: Shake_Journal_V1_LossCause) -> LossCause? {
        switch cause {
        case .trimmed: .trimmed
        case .shardGone: .shardGone
        case .stoodStill: .stoodStill
        case .streamReplaced: .streamReplaced
        case .none, .UNRECOGNIZED: nil
        }
    }

    static func wire(_ policy: LossPolicy?) -> Shake_Journal_V1_LossPolicy {
        switch policy {
        case nil: .none
        case .stop: .stop
        case .skip: .skip
        case .resync: .resync
        }
    }

    static func policy(_ policy: Shake_Journal_V1_LossPolicy) -> LossPolicy? {
        switch policy {
        case .none, .UNRECOGNIZED: nil
        case .stop: .stop
        case .skip: .skip
        case .resync: .resync
        }
    }

    static func wire(_ phase: Phase?) -> Shake_Journal_V1_Phase {
        switch phase {
        case nil: .none
        case .fullSync: .fullSync
        case .incrSync: .incrSync
        }
    }

    static func phase(_ phase: Shake_Journal_V1_Phase) -> Phase? {
        switch phase {
        case .none, .UNRECOGNIZED: nil
        case .fullSync: .fullSync
        case .incrSync: .incrSync
        }
    }

    static func wire(_ status: Status) -> Shake_Journal_V1_Status {
        switch status {
        case .notProcessed: .notProcessed
        case .notNeeded: .notNeeded
        case .prepared: .prepared
        case .inProcessing: .inProcessing
        case .waitingForParent: .waitingForParent
        case .done: .done
        case .lost: .lost
        }
    }

    static func status(_ status: Shake_Journal_V1_Status) -> Status? {
        switch status {
        case .notProcessed: .notProcessed
        case .notNeeded: .notNeeded
        case .prepared: .prepared
        case .inProcessing: .inProcessing
        case .waitingForParent: .waitingForParent
        case .done: .done
        case .lost: .lost
        case .UNRECOGNIZED: nil
        }
    }

    static func wire(_ type: IteratorType) -> Shake_Journal_V1_IteratorType {
        switch type {
        case .trimHorizon: .trimHorizon
        case .latest: .latest
        case .atSequenceNumber: .atSequenceNumber
        case .afterSequenceNumber: .afterSequenceNumber
        }
    }

    static func iteratorType(_ type: Shake_Journal_V1_IteratorType) -> IteratorType? {
        switch type {
        case .trimHorizon: .trimHorizon
        case .latest: .latest
        case .atSequenceNumber: .atSequenceNumber
        case .afterSequenceNumber: .afterSequenceNumber
        case .UNRECOGNIZED: nil
        }
    }
}
