internal import Dispatcher
internal import Journal
internal import StreamModel

/// What `resync` says.
struct ResyncView: Sendable {
    let table: TableName
    let plan: ResyncPlan
    let position: Position?
    /// That of the table.
    let pause: Pause?
    let daemon: ScanningDaemon

    var json: JSON {
        [
            "table": .string(table.text),
            "from": .string(plan.from?.rawValue),
            "to": .string(Phase.fullSync.rawValue),
            "losses": .integer(Int64(plan.losses.count)),
            "paused": .bool(pause != nil),
            "running": .bool(daemon.follows(table)),
            "position": position.map { .unsigned($0.number) } ?? .null,
        ]
    }

    func lines(_ palette: Palette) -> [String] {
        let isUnderWay = plan.from == .fullSync
        let next: String
        if let pause {
            next = "It is paused by \(pause.author), and begins when `shakectl resume \(table)` is said."
        } else if daemon.follows(table) {
            next =
                isUnderWay
                ? "The scan that is under way begins again; `shakectl status` shows how far it is."
                : "The daemon begins it beside the stream; `shakectl status` shows how far it is."
        } else if daemon.isRunning {
            next =
                "The daemon that runs does not follow it: the next one that does, with `shakectl run --mode all`, begins it."
        } else {
            next = "The next `shakectl run --mode all` begins it."
        }
        return [
            palette.paint("full sync", .cyan) + "  table \(table)"
                + (plan.losses.isEmpty ? "" : ", which stood still for a loss"),
            next,
            "In place: rows are written over by the items as they are now; those that are gone at the source go at its end, where the target can list them.",
        ]
    }
}
