/// nimo-shake.conf, read and not yet judged: `key = value` a line, as NimoShake reads it.
package struct NimoShakeConfiguration: Hashable, Sendable {
    /// Of keys that stand there more than once the last value, which is NimoShake's too.
    package private(set) var values: [NimoShakeKey: String] = [:]
    /// Those that NimoShake has not, with their lines; it would not start with them.
    package private(set) var strangers: [(key: String, line: Int)] = []
    package private(set) var twice: [NimoShakeKey] = []

    /// - Parameter name: of the file, for its errors.
    /// - Throws: `.brokenConfiguration`. The line is not repeated: it may hold a secret.
    package init(_ text: String, name: String) throws(NimoShakeError) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = Self.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            // Only the first sign divides: an address has more of them.
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw .brokenConfiguration(path: name, line: index + 1) }
            let key = Self.trimmed(parts[0])
            guard let known = NimoShakeKey(rawValue: String(key)) else {
                strangers.append((String(key), index + 1))
                continue
            }
            if values.updateValue(String(Self.trimmed(parts[1])), forKey: known) != nil { twice.append(known) }
        }
        guard !values.isEmpty else { throw .noConfiguration(path: name) }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text.drop { $0.isWhitespace }
    }

    package static func == (a: Self, b: Self) -> Bool { a.values == b.values && a.twice == b.twice }
    package func hash(into hasher: inout Hasher) { hasher.combine(values) }

    /// What stands there; empty where nothing does.
    func text(_ key: NimoShakeKey) -> String { values[key] ?? "" }
}
