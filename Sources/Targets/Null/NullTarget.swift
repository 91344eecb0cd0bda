package import StreamModel

/// Throws everything away: for measuring what the rest costs.
package struct NullTarget: Target {
    package let name = "null:"
    package let storesPositions = false

    package init() {}

    package func takesOver(from earlier: String) -> Bool { false }
    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {}
    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        Place(object: "nothing, which keeps nothing", contents: .empty)
    }
    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    package func prepare(_ table: TableSchema) async throws(TargetError) {}
    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? { nil }
    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] { batches.map { _ in nil } }
    package func close() async {}
}
