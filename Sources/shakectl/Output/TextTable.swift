/// Rows under headings, aligned for a terminal.
///
/// Colours are put on after the padding, so they cost no width. Nothing is written after the last cell of a row.
struct TextTable: Sendable {
    enum Alignment: Sendable {
        case left
        case right
    }

    struct Column: Sendable {
        let title: String
        let alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    struct Cell: Hashable, Sendable {
        let text: String
        let colour: Palette.Colour?

        init(_ text: String, _ colour: Palette.Colour? = nil) {
            self.text = text
            self.colour = colour
        }
    }

    enum Row: Sendable {
        case cells([Cell])
        /// A line of its own below a row, indented, that takes no part in the alignment.
        case note(Cell)
    }

    private static let gap = "  "

    let columns: [Column]
    var rows: [Row] = []

    init(_ columns: [Column]) { self.columns = columns }

    func lines(_ palette: Palette) -> [String] {
        let widths = columns.indices.map { column in
            rows.reduce(columns[column].title.count) { width, row in
                guard case .cells(let cells) = row, column < cells.count else { return width }
                return max(width, cells[column].text.count)
            }
        }
        let titles = Row.cells(columns.map { Cell($0.title, .bold) })
        return ([titles] + rows).map { row in
            switch row {
            case .note(let cell): return Self.gap + palette.paint(cell.text, cell.colour)
            case .cells(let cells): return line(cells, widths, palette)
            }
        }
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ palette: Palette) -> String {
        let last = cells.lastIndex { !$0.text.isEmpty } ?? 0
        return cells.indices.prefix(last + 1).map { index in
            let cell = cells[index]
            let padding = String(repeating: " ", count: max(0, widths[index] - cell.text.count))
            let text = palette.paint(cell.text, cell.colour)
            return switch columns[index].alignment {
            case .left: index == last ? text : text + padding
            case .right: padding + text
            }
        }.joined(separator: Self.gap)
    }
}
