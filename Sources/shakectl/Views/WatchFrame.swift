internal import Dispatcher
internal import Journal
internal import StreamModel

/// What `status --watch` draws: the state of the tables as lines of text that fit a screen. It knows no terminal.
struct WatchFrame: Sendable {
    let view: StatusView
    let trends: [TableName: TableTrend]
    let now: Timestamp
    /// When somebody began to watch.
    let since: Timestamp
    let interval: Duration

    private typealias Cell = TextTable.Cell
    private typealias Line = [Cell]

    /// At most `height` lines of at most `width` columns each; as much as fits of what matters most.
    func lines(width: Int, height: Int, _ palette: Palette, _ glyphs: Glyphs) -> [String] {
        guard width > 0, height > 0 else { return [] }
        let rows = rows(width, glyphs)
        let hasRoom = height >= 10
        var head = self.head(width)
        if !hasRoom { head = Array(head.prefix(1)) }
        var foot: [Line] = [[Cell("q leaves; looked at every \(Spoken.duration(interval))", .dim)]]
        if !hasRoom { foot = [] }
        let room = max(0, height - head.count - foot.count)
        let body = Detail.allCases.lazy.map { self.body(rows, $0, width) }.first { $0.count <= room }
        let lines = head + (body ?? cut(rows, to: room)) + foot
        return lines.prefix(height).map { Self.text(of: $0, width, palette, glyphs) }
    }

    // MARK: The head

    private func head(_ width: Int) -> [Line] {
        let time = "\(Spoken.time(now).prefix(19)) UTC"
        let what = "\(summary), watched for \(Spoken.duration(max(.zero, now - since)))"
        let gap = max(2, width - TerminalText.width(what) - time.count)
        var lines: [Line] = [[Cell(what, .bold), Cell(String(repeating: " ", count: gap)), Cell(time, .dim)]]
        lines.append(Self.printable(view.daemonLine))
        if !view.target.isEmpty { lines.append([Cell("target: \(TerminalText.printable(view.target))")]) }
        return lines + [[]]
    }

    private var summary: String {
        guard !view.tables.isEmpty else { return "no table is known yet" }
        let counts = Health.allCases.compactMap { health -> String? in
            let count = view.tables.count { $0.health == health }
            return count > 0 ? "\(count) \(health.rawValue)" : nil
        }
        return Spoken.count(UInt64(view.tables.count), "table") + ": " + counts.joined(separator: ", ")
    }

    private static func printable(_ line: [TextTable.Cell]) -> Line {
        line.map { Cell(TerminalText.printable($0.text), $0.colour) }
    }

    // MARK: The tables

    /// How much is said of each table, from all to least.
    private enum Detail: CaseIterable {
        case folded
        case oneLineEach
        case oneLineOfTheIll
        case none
    }

    private struct Row {
        let table: TableStatus
        let line: Line
    }

    private struct Table {
        let heading: Line
        let rows: [Row]
    }

    private func body(_ table: Table, _ detail: Detail, _ width: Int) -> [Line] {
        guard !table.rows.isEmpty else { return [[Cell("The journal \(view.journal) knows no table yet.")]] }
        return [table.heading]
            + table.rows.flatMap { [$0.line] + notes(of: $0.table, detail, width) }
    }

    private func notes(of table: TableStatus, _ detail: Detail, _ width: Int) -> [Line] {
        let notes = Self.printable(table.notes)
        switch detail {
        case .folded:
            return notes.flatMap { note in
                TerminalText.folded(note.text, to: max(1, width - 2)).map { [Cell("  "), Cell($0, note.colour)] }
            }
        case .oneLineEach: return notes.map { [Cell("  "), $0] }
        case .oneLineOfTheIll:
            return table.health == .ok ? [] : notes.prefix(1).map { [Cell("  "), $0] }
        case .none: return []
        }
    }

    /// Where not every table has a line: those that are worst first.
    private func cut(_ table: Table, to room: Int) -> [Line] {
        guard room > 2 else { return Array(([table.heading] + table.rows.map(\.line)).prefix(room)) }
        let sorted = table.rows.enumerated().sorted {
            $0.element.table.health == $1.element.table.health
                ? $0.offset < $1.offset : $0.element.table.health > $1.element.table.health
        }.map(\.element)
        let shown = sorted.prefix(room - 2)
        let hidden = sorted.dropFirst(room - 2)
        let ill = hidden.count { $0.table.health != .ok }
        let more = "and \(Spoken.count(UInt64(hidden.count), "more table")), \(ill == 0 ? "all ok" : "\(ill) not ok")"
        return [table.heading] + shown.map(\.line) + [[Cell("  \(more)", ill == 0 ? .dim : .yellow)]]
    }

    /// Columns in the order in which they are drawn.
    private enum Column: CaseIterable {
        case table
        case health
        case phase
        case lag
        case lagTrend
        case records
        case rate
        case rateTrend
        case shards

        /// In which they are left out where there is no room.
        static let expendable: [Column] = [.lagTrend, .shards, .rateTrend, .phase, .records, .rate]

        var title: String {
            switch self {
            case .table: "TABLE"
            case .health: "HEALTH"
            case .phase: "PHASE"
            case .lag: "LAG"
            case .lagTrend: "LAG SO FAR"
            case .records: "RECORDS"
            case .rate: "RATE"
            case .rateTrend: "RATE SO FAR"
            case .shards: "SHARDS"
            }
        }

        var isRight: Bool { self == .lag || self == .records || self == .rate }
    }

    private static let gap = 2
    /// A name may have 255 characters.
    private static let shortestName = 8

    private func rows(_ width: Int, _ glyphs: Glyphs) -> Table {
        var columns = Column.allCases
        let cells = view.tables.map { table in
            Dictionary(uniqueKeysWithValues: columns.map { ($0, cell($0, of: table, glyphs)) })
        }
        var widths = Dictionary(
            uniqueKeysWithValues: columns.map { column in
                let widest = cells.lazy.compactMap { $0[column].map { TerminalText.width($0.text) } }.max() ?? 0
                return (column, max(column.title.count, widest))
            })
        func rest(_ columns: [Column]) -> Int {
            columns.dropFirst().reduce(0) { $0 + Self.gap + (widths[$1] ?? 0) }
        }
        let name = widths[.table] ?? 0
        // The last column may be cut, as long as something of it is seen.
        for column in Column.expendable
        where min(name, 24) + rest(columns) > width + (columns.last == .shards ? (widths[.shards] ?? 0) / 2 : 0) {
            columns.removeAll { $0 == column }
        }
        let reserved = rest(columns.filter { $0 != .shards })
        widths[.table] = min(name, max(Self.shortestName, width - reserved))
        let heading = line(columns.map { ($0, Cell($0.title, .bold)) }, widths, glyphs)
        return Table(
            heading: heading,
            rows: zip(view.tables, cells).map { table, cells in
                Row(table: table, line: line(columns.map { ($0, cells[$0] ?? Cell("")) }, widths, glyphs))
            })
    }

    private func line(_ cells: [(Column, Cell)], _ widths: [Column: Int], _ glyphs: Glyphs) -> Line {
        var line: Line = []
        for (index, (column, cell)) in cells.enumerated() {
            if index > 0 { line.append(Cell(String(repeating: " ", count: Self.gap))) }
            let width = widths[column] ?? 0
            let text =
                column == .shards ? cell.text : TerminalText.clipped(cell.text, to: width, ellipsis: glyphs.ellipsis)
            let padding = Cell(String(repeating: " ", count: max(0, width - TerminalText.width(text))))
            let shown = Cell(text, cell.colour)
            line += column.isRight ? [padding, shown] : index == cells.count - 1 ? [shown] : [shown, padding]
        }
        return line
    }

    private func cell(_ column: Column, of table: TableStatus, _ glyphs: Glyphs) -> Cell {
        let trend = trends[table.table]
        let steps = trend?.steps ?? []
        return switch column {
        case .table: Cell(TerminalText.printable(table.table.text), .bold)
        case .health: Cell(table.health.rawValue, table.health.colour)
        case .phase: Cell(table.phase?.rawValue ?? "-")
        case .lag:
            Cell(table.lag.map(Spoken.duration) ?? "-", table.lag.map { $0 > Self.muchLag } == true ? .yellow : nil)
        case .lagTrend:
            // A lag of seconds is that of an idle source.
            Cell(glyphs.bars(steps.map { $0.lag.map { Double($0.milliseconds) / 1000 } }, floor: 30), .cyan)
        case .records: Cell(Spoken.count(table.records))
        case .rate: Cell(Spoken.rate(trend?.rate))
        case .rateTrend: Cell(glyphs.bars(steps.map(\.rate), floor: 1), .cyan)
        case .shards: Cell(table.spokenShards)
        }
    }

    /// Half of what a stream keeps; `status` complains from there on.
    private static let muchLag: Duration = .seconds(12 * 3600)

    // MARK: Text

    private static func text(of line: Line, _ width: Int, _ palette: Palette, _ glyphs: Glyphs) -> String {
        var left = width
        var text = ""
        for cell in line {
            let shown = TerminalText.clipped(cell.text, to: left, ellipsis: glyphs.ellipsis)
            text += palette.paint(shown, cell.colour)
            left -= TerminalText.width(shown)
            if shown != cell.text { break }
        }
        return text
    }
}
