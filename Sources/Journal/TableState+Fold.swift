internal import StreamModel

extension TableState {
    /// One step of the fold. What is about a table needs no refusal: a phase may follow any other.
    mutating func apply(_ payload: Payload, position: Position, time: Timestamp) {
        switch payload {
        case .phaseChanged(let change):
            phase = change.to
            hasBeenFollowed = hasBeenFollowed || change.from == .incrSync || change.to == .incrSync
            stream = change.stream ?? stream
            id = change.tableID ?? id
            wanted = change.wanted ?? wanted
            removed = nil
            reason = change.reason
            if change.to == .fullSync {
                fullSync = FullSyncID(UInt64(bitPattern: time.microseconds))
                segments = []
                scanBegan = position
                refusals = []
            }
        case .scanAdvanced(let advance):
            let index: Int
            if let known = segments.firstIndex(where: { $0.segment >= advance.segment }) {
                index = known
            } else {
                index = segments.endIndex
            }
            if index == segments.endIndex || segments[index].segment != advance.segment {
                segments.insert(
                    Segment(
                        segment: advance.segment, totalSegments: advance.totalSegments, lastEvaluatedKey: nil,
                        isFinished: false, items: 0, bytes: 0), at: index)
            }
            segments[index].lastEvaluatedKey = advance.lastEvaluatedKey
            segments[index].isFinished = advance.lastEvaluatedKey == nil
            segments[index].items += advance.items
            segments[index].bytes += advance.bytes
            targetToken = advance.targetToken ?? targetToken
        case .rowsSwept(let swept):
            targetToken = swept.targetToken ?? targetToken
        case .faulted(let fault):
            lastFault = Checkpoint.Fault(
                code: fault.code, message: fault.message, time: time, isRetried: fault.isRetried)
        case .rangeLost(let lost):
            loss = Loss.after(lost, loss, position: position, time: time)
        case .lossAcknowledged(let word):
            loss = loss?.acknowledged(word)
        case .recordRefused:
            refusals.append(position)
        case .refusalSettled(let settled):
            refusals.removeAll { $0 == settled.refusal }
        case .paused(let paused):
            // Nobody says at which revision of a table: of two operators at once the first is heard.
            pause = pause ?? Pause(paused, position: position, time: time)
        case .resumed:
            pause = nil
        case .tableRemoved:
            removed = time
        case .scanFinished, .runStarted, .runStopped, .shardDiscovered, .queried, .iteratorResolved, .statusChanged,
            .sequenceAdvanced, .advancesFolded, .historyFolded, .rewound, .inStep, .imported, .repaired,
            .unknown:
            break
        }
        self.position = position
        updated = time
    }
}
