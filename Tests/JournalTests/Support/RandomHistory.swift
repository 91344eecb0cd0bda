import StreamModel
import TestSupport

@testable import Journal

/// Valid appends by chance: shards that split, are followed, end, fail and are rewound, and a table's scan beside them.
///
/// Knows the rules of DESIGN 4 a second time, and takes each checkpoint from the receipt of its last append.
struct RandomHistory {
    private var random: SeededGenerator
    private(set) var checkpoints: [Int: Checkpoint] = [:]
    private var order: [Int] = []
    private var parents: [Int: Int] = [:]
    private let shards: Int

    init(seed: UInt64, shards: Int) {
        random = SeededGenerator(seed: seed)
        self.shards = shards
    }

    mutating func take(_ receipts: [Receipt]) {
        for checkpoint in receipts.compactMap(\.checkpoint) {
            guard let number = (1...shards).first(where: { Sample.key($0) == checkpoint.shard }) else { continue }
            if checkpoints.updateValue(checkpoint, forKey: number) == nil { order.append(number) }
        }
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 1...100, using: &random) <= percent }

    mutating func next() -> [Draft] {
        while true {
            if chance(8) { return [scan()] }
            if order.count < shards, order.isEmpty || chance(10) { return [discover()] }
            guard let number = order.randomElement(using: &random), let checkpoint = checkpoints[number] else {
                continue
            }
            if chance(6) {
                if let drafts = rewind(checkpoint) { return drafts }
            } else if let payloads = step(number, checkpoint) {
                return [Draft(shard: checkpoint.shard, expecting: checkpoint.revision, payloads)]
            }
        }
    }

    private mutating func discover() -> Draft {
        let number = order.count + 1
        let parent = chance(60) ? order.randomElement(using: &random) : nil
        parents[number] = parent
        let discovered = Payload.discovered(parent: parent, start: parent == nil && chance(30) ? .latest : .trimHorizon)
        // One of each history was another program's before.
        return Draft(
            shard: Sample.key(number), expecting: .none, number == 2 ? [discovered, .imported()] : [discovered])
    }

    private mutating func scan() -> Draft {
        let payloads: [Payload] = [
            .phaseChanged(PhaseChanged(from: nil, to: .fullSync, stream: Sample.stream, reason: "by chance")),
            .scanAdvanced(
                ScanAdvanced(
                    segment: UInt32.random(in: 0...3, using: &random), totalSegments: 4,
                    lastEvaluatedKey: chance(70) ? Array(#"{"pk":{"S":"a"}}"#.utf8) : nil, items: 10, bytes: 1000,
                    targetToken: nil)),
            .rowsSwept(RowsSwept(rows: 2)),
            .repaired(Repaired(written: 2, removed: 1, target: "sqlite:a.db", author: "me@here")),
            .scanFinished(ScanFinished(items: 40)), .faulted(),
            .tableRemoved(TableRemoved(stream: Sample.stream, tableID: TableID("the first"))),
            .lost(.stop, .streamReplaced), .acknowledged(.skip),
            .refused(nil),
        ]
        return Draft(table: Sample.table, [payloads.randomElement(using: &random) ?? .faulted()])
    }

    /// What is lost and refused, and what an operator says to it.
    private mutating func trouble(_ checkpoint: Checkpoint) -> [Payload]? {
        if checkpoint.loss != nil, chance(50) {
            return [.acknowledged([nil, .skip, .resync].randomElement(using: &random) ?? nil)]
        }
        if let refusal = checkpoint.refusals.randomElement(using: &random), chance(50) {
            return [.settled(refusal.position)]
        }
        guard checkpoint.status == .inProcessing else { return nil }
        let policy = LossPolicy.allCases.randomElement(using: &random) ?? .stop
        switch Int.random(in: 0...3, using: &random) {
        case 0: return [.lost(policy)]
        case 1: return [.lost(.skip, .shardGone), .status(.inProcessing, .lost)]
        case 2: return [.refused(Int.random(in: 1...8000, using: &random))]
        default: return [.inStep(InStep(until: Sample.noon))]
        }
    }

    private mutating func rewind(_ checkpoint: Checkpoint) -> [Draft]? {
        guard let number = checkpoint.sequenceNumber else { return nil }
        let request = RewindRequest(
            place: chance(50) ? .start : .sequenceNumber(number), inclusive: chance(50), reason: "by chance",
            author: "me")
        let all = order.compactMap { checkpoints[$0] }
        return try? RewindPlan.make(request, of: checkpoint.shard, among: all).drafts
    }

    private mutating func step(_ number: Int, _ checkpoint: Checkpoint) -> [Payload]? {
        // By no chance of their own: each is in every history.
        if checkpoint.pause != nil, checkpoint.revision.number % 3 == 0 { return [.resumed()] }
        if checkpoint.pause == nil, checkpoint.revision.number % 8 == 6, checkpoint.status == .inProcessing {
            return [.paused()]
        }
        if chance(8), let payloads = trouble(checkpoint) { return payloads }
        if chance(10) { return [.faulted("Code\(Int.random(in: 1...9, using: &random))")] }
        switch checkpoint.status {
        case .notProcessed where chance(20): return [.status(.notProcessed, .prepared)]
        case .notProcessed where chance(20): return [.status(.notProcessed, .waitingForParent)]
        case .notProcessed, .prepared, .waitingForParent:
            if let parent = parents[number], checkpoints[parent]?.status.letsChildrenStart == false { return nil }
            let isLatest = checkpoint.iteratorType == .latest
            return [
                .queried(), .resolved(isLatest ? .latest : .afterSequenceNumber),
                .status(checkpoint.status, .inProcessing),
            ]
        case .inProcessing where chance(15): return [.status(.inProcessing, .done)]
        case .inProcessing:
            let past = checkpoint.sequenceNumber.flatMap { Int($0.text.suffix(4)) }.map { $0 - 1000 } ?? 0
            guard past < 8000 else { return [.status(.inProcessing, .done)] }
            let steps = chance(30) ? 3 : 1
            return (1...steps).map {
                .advanced(past + $0 * 3, records: UInt64($0), token: chance(50) ? "\(past)" : nil)
            }
        case .done, .notNeeded, .lost: return nil
        }
    }
}
