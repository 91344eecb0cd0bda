/// Where a crash leaves something half done that the next start has to find. Tests end the process here, or take its world
/// away.
package enum CrashPoint: String, CaseIterable, Sendable {
    case beforeTargetWrite = "before_target_write"
    case afterTargetWrite = "after_target_write"
    case beforeAppend = "before_append"
    case afterAppend = "after_append"
    /// A listing is read, and nothing of it is journaled.
    case inDiscovery = "in_discovery"
    /// A shard is journaled as done, and its children are not looked for yet.
    case beforeChildren = "before_children"
    /// A rewind is planned, and not journaled.
    case inRewind = "in_rewind"
    /// Some old advances are folded together, and others that could be are not yet.
    case duringCompaction = "during_compaction"
}
