internal import Dispatcher
internal import Journal

/// `compact`: what was folded, or would be.
struct CompactView: Sendable {
    let report: CompactReport
    let isDryRun: Bool
    var copy: CopyView?

    var json: JSON {
        .object(
            [
                .init("folded", .unsigned(report.folded)), .init("freed_bytes", .integer(report.freedBytes)),
                .init("position", .unsigned(report.position.number)), .init("dry_run", .bool(isDryRun)),
            ] + (copy.map { [JSON.Member("copy", $0.json)] } ?? []))
    }

    func lines(_ palette: Palette) -> [String] { own(palette) + (copy?.lines(palette) ?? []) }

    private func own(_ palette: Palette) -> [String] {
        guard report.folded > 0 else {
            return ["Nothing to fold: up to position \(report.position) the journal is as it will stay."]
        }
        let head = isDryRun ? "would fold" : palette.paint("folded", .green)
        let size = Spoken.size(UInt64(max(0, report.freedBytes)))
        return [
            "\(head) \(Spoken.count(report.folded, "event")) up to position \(report.position): \(size) less",
            isDryRun ? "Nothing was changed: this was a dry run." : "The journal uses that room again.",
        ]
    }
}
