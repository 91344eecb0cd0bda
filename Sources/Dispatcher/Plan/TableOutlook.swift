internal import DynamoDB
internal import Journal
internal import StreamModel
internal import Targets

/// What comes of a table's past: how a daemon takes up what the journal says of it.
struct TableOutlook: Sendable {
    /// As it is once the daemon has looked at the table, and before it asks for anything of it.
    private(set) var state: TableState?
    /// Where the target no longer has what the journal says.
    private(set) var emptied: DaemonError?
    /// What keeps the table's work from going on.
    private(set) var obstacles: [DaemonError] = []
    private(set) var notes: [String]

    private let name: TableName
    private let configuration: DaemonConfiguration

    init(
        of table: TableDescription, _ found: TablePlan.Findings, _ place: Place?, _ configuration: DaemonConfiguration,
        target: String
    ) {
        self.configuration = configuration
        name = found.name
        state = found.state
        notes = Self.pauses(found)
        guard let known = found.state, known.phase != nil else { return }
        identify(table, known)
        lookForRows(in: place, target, found.checkpoints)
        followNewStream(of: table)
        if let state, state.phase == .fullSync, configuration.mode == .incr {
            obstacles.append(.unfinishedScan(of: name, reason: state.reason))
        }
        standStill(found.checkpoints)
    }

    /// Of a table that the source does not describe.
    static func notes(ofUndescribed found: TablePlan.Findings) -> [String] {
        guard case .failure(let error) = found.table, error.isNotFound, found.state?.phase != nil else {
            return pauses(found)
        }
        return ["it is gone from the source; what the journal and the target have of it stays"] + pauses(found)
    }

    private static func pauses(_ found: TablePlan.Findings) -> [String] {
        KnownPause.all(found.state ?? TableState(table: found.name), found.checkpoints).map { pause in
            "\(pause.shard == nil ? "it is " : "")\(pause.words); nothing of it is read until "
                + "`shakectl resume \(pause.shard?.description ?? pause.table.text)`"
        }
    }

    /// All of it is copied, as it is now.
    private mutating func syncsInFull(_ why: String, _ stream: StreamARN? = nil) {
        state?.phase = .fullSync
        state?.segments = []
        if let stream { state?.stream = stream }
        notes.append(why)
    }

    private mutating func identify(_ table: TableDescription, _ known: TableState) {
        let wanted = configuration.wanted(of: name)
        switch IdentityChange.since(known, table, wanted: wanted, mode: configuration.mode) {
        case .none, .known: break
        case .madeAgain:
            syncsInFull("it was dropped and made again under its name: all of the new one is copied", table.stream)
        case .elsewhere(let before, let found): obstacles.append(.elsewhere(name, known: before, found: found))
        case .scannedByAnotherFilter: syncsInFull("it has another filter than before: the scan begins again")
        case .otherFilter:
            notes.append(
                "it has another filter than before: what only one of the two selects is put right by "
                    + "`shakectl resync \(name)`, and not before")
        case .backAgain:
            notes.append("the source had it no more, and has it again: it goes on where the journal stands")
        }
    }

    private mutating func lookForRows(in place: Place?, _ target: String, _ checkpoints: [Checkpoint]) {
        if place?.contents == .missing, state?.fullSync == nil, configuration.mode != .incr,
            checkpoints.contains(where: { $0.importedSince != nil })
        {
            obstacles.append(.imported(name, missingIn: target))
            return
        }
        guard let items = state?.items, items > 0, place?.contents == .missing else { return }
        if configuration.mode == .all, configuration.onLoss[name] == .resync {
            syncsInFull("the target has no place for it any more: it is scanned again")
        } else {
            emptied = .emptied(target, of: name, items: items)
        }
    }

    /// The stream before is read to its end first, as far as the service still has it.
    private mutating func followNewStream(of table: TableDescription) {
        guard let state, state.phase == .incrSync || !state.segments.isEmpty, table.streamEnabled,
            let stream = table.stream, let before = state.stream, before != stream
        else { return }
        var policy = state.loss?.remedy ?? configuration.onLoss[name]
        if policy == .skip, state.phase == .fullSync { policy = .stop }
        let lost = RangeLost(
            cause: .streamReplaced, from: nil, to: nil, since: nil, policy: policy,
            detail: RangeLost.replaced(before, by: stream))
        switch policy {
        case .stop: obstacles.append(.rangeLost(table: name, shard: nil, lost))
        case .skip: notes.append("\(lost.detail): what was changed between the two is skipped")
        case .resync: syncsInFull("\(lost.detail): it is scanned again", stream)
        }
    }

    /// For a loss of one of its shards, which an operator has yet to answer. With `--mode full` none is read.
    private mutating func standStill(_ checkpoints: [Checkpoint]) {
        guard configuration.onLoss[name] == .stop, configuration.mode != .full else { return }
        for checkpoint in checkpoints.sorted(by: { $0.shard < $1.shard })
        where checkpoint.shard.stream == state?.stream && !checkpoint.status.letsChildrenStart {
            guard let loss = checkpoint.loss, loss.stops else { continue }
            obstacles.append(.rangeLost(table: name, shard: checkpoint.shard.shard, loss.lost))
        }
    }
}
