/// What an operator may do next: commands that work as they are pasted, on the journal that was asked about.
struct Suggestions: Sendable {
    struct Suggestion: Hashable, Sendable {
        let purpose: String
        let command: String
    }

    private(set) var all: [Suggestion] = []
    /// Whether a file says what a daemon is to do; else nobody here knows the options that it had.
    let hasConfiguration: Bool
    let place: [String]

    /// - Parameter place: the options that say which journal it is.
    init(place: [String] = [], hasConfiguration: Bool = false) {
        self.place = place
        self.hasConfiguration = hasConfiguration
    }

    mutating func add(_ words: [String], _ purpose: String) {
        let command = (["shakectl"] + words + place).map(Shell.quoted).joined(separator: " ")
        all.append(Suggestion(purpose: purpose, command: command))
    }
}
