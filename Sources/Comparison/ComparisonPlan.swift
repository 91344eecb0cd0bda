package import Filter

/// How a table is compared.
package struct ComparisonPlan: Sendable {
    package enum Repair: Hashable, Sendable {
        case no
        /// Says what would be written.
        case dryRun
        case write
    }

    package var sample = Sample.everything
    package var patience = Suspect.Patience()
    /// Segments of the source that are read at a time.
    package var readers = 4
    package var segments = 8
    /// Read capacity units a second; `nil`: as fast as it goes.
    package var capacity: Double?
    /// Which items are copied: others must not be at the target.
    package var filter: ItemFilter?
    package var repair = Repair.no

    package init() {}
}
