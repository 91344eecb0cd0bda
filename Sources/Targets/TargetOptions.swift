/// What was said of a target beside its URL, as it was said. Which options there are, and what their values mean, the target knows.
package struct TargetOptions: Hashable, Sendable {
    /// A value and the names that lead to it: the option's, and for keys and values the key's.
    package struct Entry: Hashable, Sendable {
        package let path: [String]
        package let value: String

        package init(path: [String], value: String) {
            self.path = path
            self.value = value
        }
    }

    package let entries: [Entry]

    package init(_ entries: [Entry] = []) { self.entries = entries }

    /// The value of an option that has one; `nil` where nothing was said.
    package func text(_ option: TargetOption) -> String? { entries.first { $0.path == [option.name] }?.value }

    package func choice<Choice: RawRepresentable>(
        _ option: TargetOption, as _: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        text(option).flatMap { Choice(rawValue: $0) }
    }

    package func isOn(_ option: TargetOption) -> Bool? { text(option).map { $0 == "true" } }

    /// The keys and values of an option, the key's names joined by dots.
    package func values(_ option: TargetOption) -> [String: String] {
        entries.reduce(into: [:]) { values, entry in
            guard entry.path.first == option.name, entry.path.count > 1 else { return }
            values[entry.path.dropFirst().joined(separator: ".")] = entry.value
        }
    }

    /// An option that was said twice; `nil` where none was.
    var twice: [String]? {
        var seen: Set<[String]> = []
        return entries.first { !seen.insert($0.path).inserted }?.path
    }
}
