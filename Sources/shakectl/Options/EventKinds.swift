internal import ArgumentParser
internal import Journal

/// The names of the events, as `--event` takes them.
enum EventKinds {
    static let all =
        ofShards + ["phase_changed", "scan_advanced", "rows_swept", "scan_finished", "repaired", "run_started", "run_stopped"]

    /// Those that a shard's history can have; the others are of tables and runs.
    static let ofShards = [
        "shard_discovered", "queried", "iterator_resolved", "status_changed", "sequence_advanced", "faulted", "rewound",
        "advances_folded", "history_folded", "range_lost", "loss_acknowledged", "record_refused", "refusal_settled",
        "in_step", "paused", "resumed", "imported",
    ]

    /// - Throws: an error that names the nearest kind.
    static func check(_ kind: String) throws {
        guard !all.contains(kind) else { return }
        let nearest = NearestName.of(kind, in: all) ?? ""
        throw ValidationError("--event: unknown kind '\(kind)': did you mean '\(nearest)'?")
    }
}
