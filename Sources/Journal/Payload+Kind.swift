extension Payload {
    /// The event's name, as DESIGN 3.1 has it and `history` shows it.
    package var kind: String {
        switch self {
        case .runStarted: "run_started"
        case .runStopped: "run_stopped"
        case .phaseChanged: "phase_changed"
        case .scanAdvanced: "scan_advanced"
        case .rowsSwept: "rows_swept"
        case .repaired: "repaired"
        case .scanFinished: "scan_finished"
        case .shardDiscovered: "shard_discovered"
        case .queried: "queried"
        case .iteratorResolved: "iterator_resolved"
        case .statusChanged: "status_changed"
        case .sequenceAdvanced: "sequence_advanced"
        case .faulted: "faulted"
        case .rewound: "rewound"
        case .rangeLost: "range_lost"
        case .lossAcknowledged: "loss_acknowledged"
        case .recordRefused: "record_refused"
        case .refusalSettled: "refusal_settled"
        case .inStep: "in_step"
        case .paused: "paused"
        case .resumed: "resumed"
        case .tableRemoved: "table_removed"
        case .imported: "imported"
        case .advancesFolded: "advances_folded"
        case .historyFolded: "history_folded"
        case .unknown(let kind, _): "unknown_\(kind)"
        }
    }
}
