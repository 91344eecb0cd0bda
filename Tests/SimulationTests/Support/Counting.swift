import StreamModel
import Synchronization
import Targets

/// A target that keeps the records that it was given, by number.
final class Counting: Target {
    let name = "counting:"
    let storesPositions = false
    private let kept = Mutex<[String]>([])

    var records: [String] { kept.withLock { $0 } }

    func takesOver(from earlier: String) -> Bool { false }
    func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {}
    func survey(_ table: TableName) async throws(TargetError) -> Place { Place(object: "", contents: .empty) }
    func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    func prepare(_ table: TableSchema) async throws(TargetError) {}
    func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }
    func close() async {}

    func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let numbers = batches.flatMap(\.parts).flatMap(\.changes).compactMap { $0.sequenceNumber?.text }
        kept.withLock { $0 += numbers }
        return batches.map { _ in nil }
    }
}
