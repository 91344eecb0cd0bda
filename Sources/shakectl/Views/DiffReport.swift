internal import Comparison
internal import Dispatcher
internal import StreamModel
internal import Synchronization
internal import Targets

/// `diff`: each difference as it is found, then what was counted; on a terminal how far it is.
actor DiffReport {
    private struct Progress {
        /// Of the source, as an estimate.
        var items: UInt64 = 0
        var drawn: ContinuousClock.Instant?
    }

    /// Faster than this nobody can read.
    private static let interval = Duration.milliseconds(100)

    private let output = StandardOutput()
    private let isJSON: Bool
    private let palette: Palette
    private let showsFindings: Bool
    private var counts: [(table: TableName, counts: ComparisonCounts)] = []
    private var hasTitle = false
    private let progress = Mutex(Progress())

    init(_ context: CommandContext, showsFindings: Bool) {
        isJSON = context.options.json
        palette = context.palette
        self.showsFindings = showsFindings
    }

    /// - Parameter items: of the source, as an estimate.
    func begin(_ table: TableSchema, _ earlier: ComparisonNotes.Earlier, items: UInt64) {
        progress.withLock { $0.items = items }
        guard let begun = earlier.begun else { return }
        StandardError.shared.line(
            "\(table.name): goes on with a comparison that began \(begun): \(Spoken.count(earlier.counts.compared, "item")) "
                + "were compared and \(Spoken.count(earlier.counts.differences, "difference")) shown then (--restart begins again)"
        )
    }

    func found(_ finding: Finding, in table: TableSchema) throws(ShakectlError) {
        guard showsFindings else { return }
        if isJSON {
            try output.line(Self.json(finding, table).line)
        } else {
            if !hasTitle { try output.line(palette.paint("DIFFERENCE  TABLE  KEY  ATTRIBUTES", .bold)) }
            hasTitle = true
            try output.line(line(finding, table))
        }
        try output.flush()
    }

    nonisolated func counted(_ counts: ComparisonCounts, of table: TableName) {
        guard StandardError.shared.showsProgress else { return }
        let text: String? = progress.withLock { progress in
            let now = ContinuousClock.now
            if let drawn = progress.drawn, now - drawn < Self.interval { return nil }
            progress.drawn = now
            return "\(table): \(Spoken.count(counts.compared)) of ~\(Spoken.count(progress.items, "item")) compared, "
                + "\(Spoken.count(counts.looked, "row")) looked up, \(Spoken.count(counts.differences, "difference"))"
        }
        if let text { StandardError.shared.progress(text) }
    }

    func end(_ table: TableName, _ counts: ComparisonCounts) throws(ShakectlError) {
        StandardError.shared.progress(nil)
        self.counts.append((table, counts))
        if isJSON {
            try output.line(Self.json(table, counts).line)
            try output.flush()
        }
    }

    /// - Throws: `.differs` where a difference is left.
    func finish() throws(ShakectlError) {
        if !isJSON {
            var table = TextTable([
                .init("TABLE"), .init("COMPARED", .right), .init("LOOKED UP", .right), .init("MISSING", .right),
                .init("EXTRA", .right), .init("DIFFERENT", .right), .init("MOVING", .right), .init("REPAIRED", .right),
            ])
            table.rows = counts.map { name, counts in
                func cell(_ number: UInt64, _ colour: Palette.Colour = .red) -> TextTable.Cell {
                    .init(Spoken.count(number), number > 0 ? colour : nil)
                }
                return .cells([
                    .init(name.text), .init(Spoken.count(counts.compared)), .init(Spoken.count(counts.looked)),
                    cell(counts.missing), cell(counts.extra), cell(counts.different), cell(counts.moving, .yellow),
                    cell(counts.repaired, .green),
                ])
            }
            try output.lines((hasTitle ? [""] : []) + table.lines(palette))
            try output.flush()
        }
        let remaining = counts.reduce(0) { $0 + $1.counts.remaining }
        if remaining > 0 { throw .differs(remaining) }
    }

    // MARK: One difference

    private func line(_ finding: Finding, _ table: TableSchema) -> String {
        let kind = finding.difference.kind.rawValue
        let colour: Palette.Colour = finding.outcome == .repaired ? .green : .red
        var line =
            palette.paint(kind + String(repeating: " ", count: 9 - kind.count), colour)
            + "  \(table.name)  \(finding.key.words(of: table))"
        if case .different(let attributes) = finding.difference {
            line += "  " + attributes.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        }
        switch finding.outcome {
        case .left: break
        case .wouldBeRepaired:
            line += finding.difference == .extra ? "  (would be removed)" : "  (would be written)"
        case .repaired: line += "  (repaired)"
        case .notRepaired(let reason): line += "  (not repaired: \(reason))"
        }
        return line
    }

    private static func json(_ finding: Finding, _ table: TableSchema) -> JSON {
        let attributes: [JSON] =
            if case .different(let names) = finding.difference {
                names.map { .string(String(decoding: $0, as: UTF8.self)) }
            } else {
                []
            }
        let (outcome, reason): (String, String?) =
            switch finding.outcome {
            case .left: ("left", nil)
            case .wouldBeRepaired: ("would_be_repaired", nil)
            case .repaired: ("repaired", nil)
            case .notRepaired(let reason): ("not_repaired", reason)
            }
        return .object([
            .init("table", .string(table.name.text)), .init("difference", .string(finding.difference.kind.rawValue)),
            .init("key", .string(finding.key.words(of: table))), .init("attributes", .array(attributes)),
            .init("outcome", .string(outcome)), .init("reason", .string(reason)),
        ])
    }

    private static func json(_ table: TableName, _ counts: ComparisonCounts) -> JSON {
        .object([
            .init("table", .string(table.text)), .init("compared", .unsigned(counts.compared)),
            .init("looked_up", .unsigned(counts.looked)), .init("missing", .unsigned(counts.missing)),
            .init("extra", .unsigned(counts.extra)), .init("different", .unsigned(counts.different)),
            .init("moving", .unsigned(counts.moving)), .init("repaired", .unsigned(counts.repaired)),
            .init("remaining", .unsigned(counts.remaining)),
        ])
    }
}
