/// Texts as a terminal shows them: how many columns they take, cut or folded to fit.
///
/// What comes in is one line without control characters (`printable`); a terminal that draws a sign wider than is said here is
/// kept from wrapping by the driver.
enum TerminalText {
    /// Without what would break the line, or speak to the terminal: a reason is anybody's text.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : String($0) }.joined()
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // Marks of direction turn what comes after them around.
        case .format: scalar.properties.isBidiControl
        default: false
        }
    }

    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// One or two columns; none for a mark that joins the sign before it.
    ///
    /// Source: Unicode Standard Annex 11, "East Asian Width", by the blocks that are wide as a whole.
    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if character.unicodeScalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        switch first.value {
        case 0..<0x300: return first.value == 0xAD ? 0 : 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: break
        }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }

    /// At most `width` columns of it; the last one says where something is missing.
    static func clipped(_ text: String, to width: Int, ellipsis: String = "…") -> String {
        guard self.width(text) > width else { return text }
        guard width > 0 else { return "" }
        return begin(of: text, width - 1) + ellipsis
    }

    private static func begin(of text: String, _ width: Int) -> String {
        var (left, kept) = (width, "")
        for character in text {
            left -= self.width(character)
            guard left >= 0 else { break }
            kept.append(character)
        }
        return kept
    }

    /// Lines of at most `width` columns, broken at spaces where there are some.
    static func folded(_ text: String, to width: Int) -> [String] {
        guard width > 0 else { return [] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: true) {
            let joined = line.isEmpty ? String(word) : "\(line) \(word)"
            if self.width(joined) <= width {
                line = joined
                continue
            }
            if !line.isEmpty { lines.append(line) }
            var rest = word[...]
            while self.width(String(rest)) > width {
                // A wide sign in a single column: it is shown all the same, or this would never end.
                let part = begin(of: String(rest), width)
                let taken = max(1, part.count)
                lines.append(String(rest.prefix(taken)))
                rest = rest.dropFirst(taken)
            }
            line = String(rest)
        }
        return line.isEmpty ? lines : lines + [line]
    }

    static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - self.width(text)))
        return right ? padding + text : text + padding
    }
}
