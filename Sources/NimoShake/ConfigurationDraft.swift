/// A configuration of Shake's, made from one of NimoShake's.
package struct ConfigurationDraft: Hashable, Sendable {
    /// What became of a key.
    package struct Note: Hashable, Sendable {
        package let key: String
        /// What stands there; `nil` where it may be a secret.
        package let value: String?
        package let text: String
        /// Whether a key of Shake's says the same.
        package let isKept: Bool

        /// `qps.full = 1000: …`.
        package var line: String { "\(key)\(value.map { " = \($0)" } ?? ""): \(text)" }
    }

    /// Each key of the file, in the order of `NimoShakeKey`, and behind them what is no key of NimoShake's.
    package let notes: [Note]
    /// The keys and values, without comments.
    let body: [String]
    /// What would import the checkpoints, where the file says where they are.
    package let importCommand: String

    /// Those that have no counterpart, and of which something is to be known.
    package var lost: [Note] { notes.filter { !$0.isKept } }

    package var yaml: String {
        var lines = [
            "# Made from NimoShake's configuration by `shakectl config from-nimoshake`. No secret was taken over.",
            "# What NimoShake had brought is gone on with after:",
            "#   \(importCommand)",
            "",
        ]
        lines += body
        if !lost.isEmpty { lines += ["", "# Of these keys nothing stands above:"] + lost.map { "#   \($0.line)" } }
        return lines.joined(separator: "\n") + "\n"
    }
}
