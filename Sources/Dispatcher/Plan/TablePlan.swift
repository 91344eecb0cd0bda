package import DynamoDB
internal import Journal
package import StreamModel
package import Targets

/// What a daemon would do for a table, and what keeps it from that: decided from what was found, without I/O.
package struct TablePlan: Sendable {
    package let name: TableName
    /// `nil` where it could not be described.
    package let table: TableDescription?
    package let stream: Stream?
    /// Whether it has no stream, and one would be enabled: the one thing that would be changed at the source.
    package let enablesStream: Bool
    /// `nil` where the table or the target could not be looked at.
    package let place: Place?
    package let step: Step
    /// In the order in which they would be met; the first ends the table's work. Empty: it would run.
    package let obstacles: [DaemonError]
    /// What else an operator had better know before the daemon begins.
    package let notes: [String]

    package struct Stream: Hashable, Sendable {
        package let arn: StreamARN
        package let shards: Int
        package let openShards: Int
    }

    /// What comes first.
    package enum Step: Hashable, Sendable {
        /// Into so many segments, so many at a time to begin with.
        case scan(segments: Int, readers: Int)
        case goOnScanning(segmentsFinished: Int, of: Int, items: UInt64)
        case follow(from: IteratorType)
        case goOnFollowing(shards: Int)
        /// The mode asks for no more.
        case nothing
        /// It can't be told, since the table could not be described; or nothing comes before an obstacle is out of the way.
        case unknown
    }

    /// What was found out about a table.
    struct Findings: Sendable {
        var name: TableName
        var table: Result<TableDescription, DynamoDBError>
        /// `nil`: it was not asked for, as there is none.
        var stream: Result<StreamDescription, DynamoDBError>?
        /// Of what a daemon would call besides, what failed.
        var failedCalls: [DynamoDBError] = []
        /// `nil`: it was not looked at, as nobody knows what it is to hold.
        var place: Result<Place, TargetError>?
        var state: TableState?
        var checkpoints: [Checkpoint] = []
        /// Of which the journal says what is durable there.
        var filledTarget: String?
        /// Why a daemon would not be given the journal.
        var refusal: JournalError?
    }

    static func decide(
        _ found: Findings, _ configuration: DaemonConfiguration, existing: ExistingPolicy, target: String
    ) -> TablePlan {
        var obstacles: [DaemonError] = []
        if let refusal = found.refusal { obstacles.append(.journal(refusal)) }
        guard case .success(let table) = found.table else {
            if case .failure(let error) = found.table { obstacles.append(.source(error)) }
            return TablePlan(
                name: found.name, table: nil, stream: nil, enablesStream: false, place: nil, step: .unknown,
                obstacles: obstacles,
                notes: TableOutlook.notes(ofUndescribed: found))
        }
        let place = try? found.place?.get()
        let outlook = TableOutlook(of: table, found, place, configuration, target: target)
        obstacles += [outlook.emptied].compactMap(\.self) + targetObstacles(found, place, existing, target)
        let enablesStream = configuration.enablesStreams && table.lacksStream
        if !enablesStream {
            do throws(DaemonError) { _ = try table.followedStream } catch { obstacles.append(error) }
        }
        obstacles += outlook.obstacles
        var stream: Stream?
        switch found.stream {
        case .success(let description):
            if let arn = table.stream {
                stream = Stream(
                    arn: arn, shards: description.shards.count,
                    openShards: description.shards.count { $0.range.ending == nil })
            }
        case .failure(let error): obstacles.append(.source(error))
        case nil: break
        }
        let step = Self.step(table, outlook.state, found.checkpoints, configuration)
        if case .scan = step, let capacity = configuration.scanCapacity {
            do throws(DaemonError) { _ = try capacity.unitsPerSecond(of: table) } catch { obstacles.append(error) }
        }
        obstacles += found.failedCalls.map { .source($0) }
        return TablePlan(
            name: found.name, table: table, stream: stream, enablesStream: enablesStream, place: place, step: step,
            obstacles: obstacles, notes: outlook.notes)
    }

    /// What keeps the target from taking the table.
    private static func targetObstacles(
        _ found: Findings, _ place: Place?, _ existing: ExistingPolicy, _ target: String
    ) -> [DaemonError] {
        if case .failure(let error) = found.place { return [.target(error)] }
        guard let place else { return [] }
        let what = "table \(found.name) in target \(target)"
        let isStrange = place.contents == .filled && (place.isShared ? found.filledTarget == nil : found.isNew)
        if isStrange, existing == .refuse {
            return [
                .misconfigured(
                    what: what,
                    reason:
                        "\(place.object) holds something of which this journal knows nothing: say what becomes of it, --existing "
                        + "append, replace or rename")
            ]
        }
        // What is put out of the way need not fit.
        guard let unfit = place.unfit, !isStrange || existing == .append else { return [] }
        return [.misconfigured(what: what, reason: unfit)]
    }

    private static func step(
        _ table: TableDescription, _ state: TableState?, _ checkpoints: [Checkpoint],
        _ configuration: DaemonConfiguration
    ) -> Step {
        switch (configuration.mode, state?.phase) {
        case (.incr, nil): return .follow(from: configuration.startAt)
        case (.incr, .fullSync): return .unknown
        case (.full, .incrSync): return .nothing
        case (_, .incrSync):
            return .goOnFollowing(shards: checkpoints.count { !$0.status.letsChildrenStart })
        case (_, .fullSync) where state?.segments.isEmpty == false:
            let segments = state?.segments ?? []
            return .goOnScanning(
                segmentsFinished: segments.count(where: \.isFinished), of: Int(segments.first?.totalSegments ?? 0),
                items: state?.items ?? 0)
        case (_, .fullSync), (_, nil):
            let segments = configuration.scanSegments ?? ScanPlan.segments(ofBytes: table.tableSizeBytes)
            return .scan(
                segments: segments, readers: configuration.scanReaders ?? ScanPlan.readers(of: segments).first)
        }
    }
}

extension TablePlan.Findings {
    /// Whether the journal knows nothing of the table.
    var isNew: Bool { state?.phase == nil && checkpoints.isEmpty }
}
