/// Something that may be said of a target beside its URL: a key below `target` in the file, or `--target-option NAME=VALUE`.
package struct TargetOption: Hashable, Sendable {
    package let name: String
    /// What a value looks like; ends the sentence "… expects".
    package let expects: String
    /// How many names stand between the option's and its value: 1 for what is said of each table, such as `tables.orders`.
    package let depth: Int
    /// The values that it takes, where they are few.
    package let choices: [String]?

    /// One value.
    package init(_ name: String, expects: String) { self.init(name, expects, 0, nil) }

    /// One of a few.
    package init<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _: Choice.Type
    ) where Choice.RawValue == String {
        self.init(name, choices: Choice.allCases.map(\.rawValue))
    }

    /// Keys and values.
    package init(_ name: String, keysAndValues expects: String, depth: Int = 1) { self.init(name, expects, depth, nil) }

    /// `true` or `false`.
    package static func onOrOff(_ name: String) -> TargetOption { TargetOption(name, choices: ["true", "false"]) }

    private init(_ name: String, choices: [String]) {
        let all = choices.dropLast().joined(separator: ", ")
        self.init(name, all.isEmpty ? choices.joined() : "\(all) or \(choices[choices.count - 1])", 0, choices)
    }

    private init(_ name: String, _ expects: String, _ depth: Int, _ choices: [String]?) {
        self.name = name
        self.expects = expects
        self.depth = depth
        self.choices = choices
    }

    func takes(_ entry: TargetOptions.Entry) -> Bool {
        guard entry.path.count == 1 + depth, !entry.value.isEmpty else { return false }
        return choices?.contains(entry.value) ?? true
    }
}
