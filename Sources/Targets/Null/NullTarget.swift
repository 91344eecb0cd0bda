package import StreamModel

/// Throws everything away: for measuring what the rest costs.
package struct NullTarget: Target {
    package let name = "null:"
    package let storesPositions = false

    package init() {}

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {}
    package func prepare(_ table: TableSchema) async throws(TargetError) {}
    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] { batches.map { _ in nil } }
    package func close() async {}
}
