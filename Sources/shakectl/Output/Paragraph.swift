/// Text for a terminal.
enum Paragraph {
    /// `text` broken at its spaces; a word that is too long keeps a line to itself.
    static func lines(_ text: String, width: Int, indent: String) -> [String] {
        let room = max(20, width - indent.count)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (lines + [line]).map { indent + $0 }
    }
}

extension String {
    /// Anybody's text, that shall not break a line, or speak to the terminal.
    var printable: String {
        unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0) }.joined()
    }
}
