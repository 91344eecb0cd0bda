/// A pattern for names: `*` stands for any characters, also none, and `?` for one; all else for itself.
package struct Glob: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    private let pattern: [UInt8]

    package init(_ text: String) {
        description = text
        pattern = Array(text.utf8)
    }

    /// Names are of ASCII (API Reference, CreateTable), so bytes are characters.
    package func matches(_ text: String) -> Bool {
        let name = Array(text.utf8)
        // After the last `*`: where the pattern and the name go on, should what is tried now not fit.
        var (place, at) = (0, 0)
        var retry: (place: Int, at: Int)?
        while at < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                place += 1
                retry = (place, at)
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[at] {
                (place, at) = (place + 1, at + 1)
            } else if let last = retry {
                retry = (last.place, last.at + 1)
                (place, at) = (last.place, last.at + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
