internal import Dispatcher
internal import Journal
internal import StreamModel

/// All that a run of seeds has to come by, so that what the generator never leads to is seen as such: and all that it can't
/// come by, each with the reason.
package enum Catalogue {
    /// `area: what`
    package static let names: [String] = areas.flatMap { area, names in names.map { "\(area): \($0)" } }

    /// What can't be, and why. Where it is after all, somebody has to think again.
    package static let impossible: [String: String] = Dictionary(
        impossibilities.flatMap { reason, names in names.map { ($0, reason) } }, uniquingKeysWith: { first, _ in first }
    )

    /// What takes two things at the same moment that are seldom alone: asked for from so many seeds on.
    package static let rare: Set<String> = [
        "shard machine: fetching + gone", "shard machine: paused + conflict", "event: advances_folded",
        "status: not_processed → lost", "recovery: another epoch, from its start",
        "shard machine: resolving + gone", "shard machine: resolving + stop", "shard machine: resolving + trimmed",
        "rewound: lost, as a descendant", "rewound: not_processed, as a descendant",
        "rewound: waiting_for_parent, as a descendant", "operator: dead-letters retry refused, out of reach",
        "operator: rewind refused, the source can't be asked", "operator: overtaken each time",
    ]
    package static let seedsForRare = 100_000

    /// What can be and comes once in many millions of steps: 200,000 seeds have not brought it, and tests do.
    package static let unmet: Set<String> = [
        // A page that fails for good while its shard is put down: ShardMachineTests.
        "shard machine: draining + trimmed", "shard machine: draining + gone",
        // A listing that lacks a parent for more than two minutes: DaemonLineageTests.
        "rewound: by a late listing, as a descendant",
        // A question that the service refuses for good: CallMachineTests.
        "call machine: permanent → give up",
        // No table is dropped: DaemonIdentityTests. Nothing is put right by hand: test_diff.py.
        "event: table_removed", "event: repaired",
        // Comes where somebody asks for it alone: test_enable_streams.py.
        "fault: AccessDeniedException",
    ]

    package struct Row: Hashable, Sendable {
        package let name: String
        package let count: Int
    }

    /// What is declared, with how often it was come by; then what is not declared.
    package static func rows(_ coverage: [String: Int]) -> [Row] {
        let declared = Set(names)
        return
            (names + coverage.keys.filter { !declared.contains($0) })
            .filter { impossible[$0] == nil || coverage[$0, default: 0] > 0 }
            .map { Row(name: $0, count: coverage[$0, default: 0]) }
            .sorted { $0.name < $1.name }
    }

    /// What is wrong with a coverage that is to be complete.
    package static func complaints(_ coverage: [String: Int], seeds: Int = seedsForRare) -> [String] {
        let declared = Set(names)
        return rows(coverage).compactMap { row in
            if row.count == 0 {
                let isExcused = unmet.contains(row.name) || rare.contains(row.name) && seeds < seedsForRare
                return isExcused ? nil : "never: \(row.name)"
            }
            if let reason = impossible[row.name] { return "held to be impossible (\(reason)): \(row.name)" }
            return declared.contains(row.name) ? nil : "not in the catalogue: \(row.name)"
        }
    }

    // MARK: - What there is

    private static let areas: [(area: String, names: [String])] = [
        ("fault", faults), ("service", peculiarities),
        (
            "source",
            [
                "split", "roll-over", "all iterators expire", "items expire", "an outage", "a stream is switched off",
                "a stream is switched on", "a stream is left off", "a table is made",
            ]
        ),
        (
            "target",
            [
                "unavailable", "partial batch", "lost answer", "slow", "hang", "restored", "cut back",
                "refuses a record",
                "refuses a row of a scan", "does not list its rows",
            ]
        ),
        ("shard machine", machineStates.flatMap { state in machineEvents.map { "\(state) + \($0)" } }),
        (
            "call machine",
            callFailures.flatMap { failure in
                ["wait", "refresh credentials", "set the clock", "give up"].map { "\(failure) → \($0)" }
            }
        ),
        ("start table", StartTable.Rule.allCases.map(\.rawValue)),
        (
            "recovery",
            [
                "in step", "advance", "rewind", "start again", "another epoch", "another epoch, from its start",
                "undermined",
            ]
        ),
        (
            "lineage",
            ["discovered, to begin at TRIM_HORIZON", "discovered, to begin at LATEST", "seen closed"]
                + Status.allCases.map { "taken up as \($0.rawValue)" }
                + (Status.allCases.map(\.rawValue) + ["none", "unknown"]).map { "taken up with a parent that is \($0)" }
        ),
        (
            "status",
            Status.allCases.flatMap { from in
                Status.allCases.filter { Checkpoint.mayChange(from: from, to: $0) }.map {
                    "\(from.rawValue) → \($0.rawValue)"
                }
            }
        ),
        (
            "rewound",
            Status.allCases.flatMap { ["\($0.rawValue), itself", "\($0.rawValue), as a descendant"] }
                + ["an operator", "a late listing", "recovery"].flatMap { who in
                    ["to a record", "to its start", "as a descendant"].map { "by \(who), \($0)" }
                }
        ),
        (
            "phase",
            ["none", "full_sync", "incr_sync"].flatMap { from in
                ["full_sync", "incr_sync"].map { "\(from) → \($0)" }
            }
        ),
        (
            "loss",
            LossCause.allCases.flatMap { cause in LossPolicy.allCases.map { "\(cause.rawValue), \($0.rawValue)" } }
                + LossPolicy.allCases.flatMap { policy in
                    ["no remedy", "skip", "resync"].map { "acknowledged under \(policy.rawValue), with \($0)" }
                }
                + LossPolicy.allCases.map { "dealt with as an operator said, \($0.rawValue)" }
                + ["grows before it is acknowledged"]
        ),
        ("scan", ["of more than a day", "rows are left out"]),
        ("advance", ["without a record", "the same record again"]),
        ("letter", ["refused once more", "delivered after all"]),
        ("crash point", CrashPoint.allCases.map(\.rawValue)),
        (
            "killed",
            ([.request, .reply, .preparing, .writing, .written] + CrashPoint.allCases.map { .point($0) }).map(
                \Life.Step.name)
        ),
        ("operator", deeds), ("event", events),
        (
            "pause",
            [
                "of a table that is scanned", "outlives a process", "a run comes to rest beside it",
                "and a loss, since it outlasted what the stream keeps",
            ]
        ),
        ("promise", ["a full sync", "another beside it", "an answer to a loss", "kept"]),
        ("filter", SimulatedFilter.Verdict.allCases.map(\.rawValue)),
    ]

    private static let machineStates = ["resolving", "fetching", "paused", "draining"]
    private static let machineEvents = [
        "resolved", "page", "expired", "trimmed", "gone", "delivered", "conflict", "displaced", "stop",
    ]
    private static let callFailures = [
        "throttled", "transient", "credentials", "clockSkewed", "expiredIterator", "trimmed", "notFound", "denied",
        "permanent", "broken", "final",
    ]

    private static let deeds = [
        "rewind", "rewind with a cascade", "undo of a rewind", "ack", "ack --skip", "ack --resync",
        "dead-letters retry",
        "dead-letters settle", "stops the process", "kills the stopped process", "killed", "overtaken by an append",
        "overtaken each time",
        "rewind refused, an unknown shard", "rewind refused, before the shard", "rewind refused, behind the shard",
        "rewind refused, ahead of a start", "rewind refused, ahead of the checkpoint",
        "rewind refused, a parent is replayed", "rewind refused, an older stream", "rewind refused, trimmed",
        "rewind refused, the source can't be asked", "ack, nothing waits", "ack refused, not stopped",
        "dead letters, none waits",
        "dead-letters retry refused, an item of a scan", "dead-letters retry refused, out of reach",
        "pause of a table", "pause of a shard", "resume of a table", "resume of a shard", "pause, it is so already",
        "resume, it is so already", "pause refused, the shard is over", "pause or resume, and the daemon is killed",
        "resync", "resync, beside a scan", "resync, of a paused table", "resync, the answer to a loss",
        "resync refused, never scanned", "resync, and the daemon is killed", "resync, at a scan's very end",
        "resync, at a scan's very end, and the daemon is killed", "backup", "restore",
    ]

    private static let events = [
        "run_started", "run_stopped", "phase_changed", "scan_advanced", "rows_swept", "scan_finished",
        "shard_discovered",
        "queried",
        "iterator_resolved", "status_changed", "sequence_advanced", "faulted", "rewound", "range_lost",
        "loss_acknowledged", "record_refused", "refusal_settled", "in_step", "advances_folded", "paused", "resumed",
        "table_removed", "repaired",
    ]

    // MARK: - What can't be

    private static let impossibilities: [(reason: String, names: [String])] = [
        (
            "only a fetch brings it, and nothing is fetched meanwhile",
            ["resolving + page", "paused + page", "paused + expired", "paused + trimmed", "paused + gone"].map {
                "shard machine: \($0)"
            }
        ),
        (
            "only a resolving brings it, and another end of that ends the reading",
            ["fetching + resolved", "paused + resolved", "draining + resolved"].map { "shard machine: \($0)" }
        ),
        (
            "it is resolved anew once all is delivered",
            ["shard machine: resolving + delivered", "shard machine: resolving + conflict"]
        ),
        (
            "the service's clock is ours, and nobody denies anything",
            ["clockSkewed", "denied"].flatMap { failure in
                ["wait", "refresh credentials", "set the clock", "give up"].map { "call machine: \(failure) → \($0)" }
            }
        ),
        (
            "CallMachine has one answer to it",
            ["throttled", "transient", "broken"].flatMap { failure in
                ["refresh credentials", "set the clock"].map { "call machine: \(failure) → \($0)" }
            } + ["call machine: credentials → wait", "call machine: credentials → set the clock"]
                + ["expiredIterator", "trimmed", "notFound", "permanent", "final"].flatMap { failure in
                    ["wait", "refresh credentials", "set the clock"].map { "call machine: \(failure) → \($0)" }
                }
        ),
        (
            "a call that is cancelled is not asked for again",
            ["call machine: final → give up"]
        ),
        (
            "an anchor is journaled with its iterator, so that LATEST alone is never promised",
            ["start table: latest_lost"]
        ),
        ("it is over", ["done", "not_needed", "lost"].map { "lineage: taken up as \($0)" }),
        (
            "it waits for its parent",
            ["not_processed", "prepared", "in_processing", "waiting_for_parent"].map {
                "lineage: taken up with a parent that is \($0)"
            }
        ),
        (
            "the dispatcher takes a shard up at once, and says nothing in between",
            ["status: prepared → waiting_for_parent", "status: waiting_for_parent → prepared"]
        ),
        ("the service says so of pages", ["shard machine: resolving + expired"]),
        (
            "a table that went on is not told how to go on",
            ["skip", "resync"].flatMap { policy in
                ["skip", "resync"].map { "loss: acknowledged under \(policy), with \($0)" }
            }
        ),
        ("to stop is no remedy", ["loss: dealt with as an operator said, stop"]),
        (
            "a late listing sets back what is below the shard that it shows",
            ["rewound: by a late listing, to a record", "rewound: by a late listing, to its start"]
        ),
        ("a rewind is an operator's, and no crash of the daemon's", ["killed: in_rewind"]),
    ]
}
