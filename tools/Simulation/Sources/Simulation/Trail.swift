/// The last lines of what happened.
struct Trail {
    private var kept: [String] = []
    private static let length = 2000

    mutating func add(_ line: String) {
        kept.append(line)
        if kept.count > 2 * Self.length { kept.removeFirst(Self.length) }
    }

    var lines: [String] { Array(kept.suffix(Self.length)) }
}
