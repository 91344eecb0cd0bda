package import DynamoDB
internal import StreamModel

/// What a table's scan may consume of its read capacity.
package enum ScanCapacity: Hashable, Sendable {
    /// Read capacity units a second.
    case units(Double)
    /// A part of what the table is provisioned with, more than 0 and 1 at most.
    case share(Double)

    /// In read capacity units a second.
    ///
    /// - Throws: `.misconfigured` for a share of a table that has no provisioned capacity.
    package func unitsPerSecond(of table: TableDescription) throws(DaemonError) -> Double {
        switch self {
        case .units(let units): return units
        case .share(let share):
            guard let provisioned = table.provisionedReads else {
                throw .misconfigured(
                    what: "table \(table.schema.name)",
                    reason:
                        "it is billed on demand, so there is no provisioned capacity of which --scan-capacity could "
                        + "take \(Int((share * 100).rounded())) %: say units a second instead, such as --scan-capacity 500"
                )
            }
            return provisioned * share
        }
    }
}
