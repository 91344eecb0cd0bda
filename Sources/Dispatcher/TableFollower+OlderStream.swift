internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// The stream that a table was followed by, where it has another one now or none.
extension TableFollower {
    /// What is left of the stream that a table was followed by, where the table has another one now or none.
    enum OlderStream: Hashable {
        /// There is none, or nobody can say.
        case none
        /// It stays readable for 24 hours, and comes first.
        case unfinished(StreamARN)
        /// All of it is in the target.
        case drained
    }

    func olderStream(_ description: TableDescription, _ state: TableState?) async throws -> OlderStream {
        guard state?.phase == .incrSync, let before = state?.stream,
            before != description.stream || !description.streamEnabled
        else { return .none }
        let listing: [Shard]
        do throws(DynamoDBError) {
            listing = try await workshop.source.describeStream(before).shards
        } catch {
            if error.isNotFound { return .none }
            throw error
        }
        let known = try checkpoints(of: before)
        let shards = Set(known.map(\.shard.shard))
        guard workshop.haveEnded(known), listing.allSatisfy({ shards.contains($0.id) }) else {
            return .unfinished(before)
        }
        let positions = try await workshop.target.positions(of: table)
        let lacking = try workshop.firstLacking(
            of: known, Dictionary(positions.map { ($0.shard, $0) }, uniquingKeysWith: { _, last in last }), state)
        return lacking == nil ? .drained : .unfinished(before)
    }

    /// Goes on with another stream than the table was followed by, where it has one and as an operator or the policy wants it:
    /// changes made between the two are in neither.
    ///
    /// - Parameters:
    ///   - id: which table has the name.
    ///   - isDrained: whether nothing is left of the stream before it.
    ///   - isScanned: whether the stream before it was pinned for a scan that is still to be finished.
    func followNewStream(
        _ stream: StreamARN, _ state: TableState?, _ id: TableID?, isDrained: Bool, isScanned: Bool
    ) async throws {
        let hasBegun = state?.phase == .incrSync || isScanned
        guard let state, hasBegun, let before = state.stream, before != stream else { return }
        var policy = state.loss?.remedy ?? workshop.configuration.onLoss[table]
        // What was scanned of a table and never followed can't go on from any stream.
        if policy == .skip, state.phase == .fullSync { policy = .stop }
        let lost = RangeLost(
            cause: .streamReplaced, from: nil, to: nil, since: try missingSince(before, isDrained: isDrained),
            policy: policy,
            detail: RangeLost.replaced(before, by: stream))
        let isKnown = state.loss.map { $0.stops && $0.lost.cause == .streamReplaced } ?? false
        let error = DaemonError.rangeLost(table: table, shard: nil, lost)
        // What follows from it is said with it: a crash in between would ask an operator who has answered already once more.
        let next: PhaseChanged? =
            switch policy {
            case .stop: nil
            case .skip:
                PhaseChanged(
                    from: state.phase, to: .incrSync, stream: stream,
                    reason: "the table has another stream, and what was lost is skipped", tableID: id,
                    wanted: wanted)
            case .resync: lost.fullSync(of: nil, after: state)
            }
        if !isKnown || policy != .stop {
            _ = try await workshop.journal.append([
                Draft(table: table, [.rangeLost(lost)] + (next.map { [.phaseChanged($0)] } ?? []))
            ])
        }
        guard policy == .skip else { throw error }
        log.error("\(error)")
        log.info("the table enters incr_sync", metadata: ["reason": "\(next?.reason ?? "")"])
    }

    /// Since when changes may be missing that were made when a stream was over: since the last record that it brought. `nil` where
    /// that can't be said of one of its shards.
    ///
    /// That a shard was in step later says nothing: its stream may have been over for long by then, and so it is with when it was
    /// seen or anchored.
    private func missingSince(_ stream: StreamARN, isDrained: Bool) throws(JournalError) -> Timestamp? {
        let all = try checkpoints(of: stream)
        if isDrained { return all.compactMap(\.approximateTime).max() }
        // What follows those without a child may have come and gone unseen.
        let parents = Set(all.compactMap(\.parent))
        let last = all.filter { !$0.status.letsChildrenStart || !parents.contains($0.shard.shard) }
        let until = last.compactMap(\.approximateTime)
        return until.count == last.count ? until.min() : nil
    }

    func checkpoints(of stream: StreamARN) throws(JournalError) -> [Checkpoint] {
        try workshop.journal.checkpoints().filter { $0.shard.table == table && $0.shard.stream == stream }
    }
}
