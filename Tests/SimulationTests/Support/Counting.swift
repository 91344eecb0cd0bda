import Simulation
import StreamModel
import Synchronization
import Targets

/// A target that keeps the records that it was given, by number, and takes as long for that as it is told to.
final class Counting: Target {
    let name = "counting:"
    let storesPositions = false
    private let conductor: Conductor
    private let kept = Mutex<[String]>([])
    private let pace = Mutex<Duration>(.zero)
    private let counts = Mutex((bytes: 0, writes: 0))

    init(_ conductor: Conductor) { self.conductor = conductor }

    var records: [String] { kept.withLock { $0 } }
    /// Of the pages that it was given.
    var bytes: Int { counts.withLock { $0.bytes } }
    var writes: Int { counts.withLock { $0.writes } }

    /// Each write takes as long as that from now on.
    func slow(to duration: Duration) { pace.withLock { $0 = duration } }

    func takesOver(from earlier: String) -> Bool { false }
    func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {}
    func survey(_ table: TableSchema) async throws(TargetError) -> Place { Place(object: "", contents: .empty) }
    func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    func prepare(_ table: TableSchema) async throws(TargetError) {}
    func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }
    func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? { nil }
    func close() async {}

    func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let duration = pace.withLock { $0 }
        if duration > .zero { try? await conductor.sleep(until: conductor.now + duration) }
        let numbers = batches.flatMap(\.parts).flatMap(\.changes).compactMap { $0.sequenceNumber?.text }
        kept.withLock { $0 += numbers }
        counts.withLock { counts in
            counts.bytes += batches.flatMap(\.parts).reduce(0) { $0 + $1.body.count }
            counts.writes += 1
        }
        return batches.map { _ in nil }
    }
}
