/// Guesses what was meant by a name that isn't known.
enum NearestName {
    /// The name of `names` that takes the fewest edits; the first of several. `nil` only when there are none.
    ///
    /// - Parameter spellings: how a name may have been meant to be written.
    static func of(
        _ name: String, in names: [String], spellings: (String) -> [String] = { [$0] }
    ) -> String? {
        names.map { candidate in
            (candidate, spellings(candidate).map { distance(name.lowercased(), $0.lowercased()) }.min() ?? .max)
        }.min { $0.1 < $1.1 }?.0
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func distance(_ first: String, _ second: String) -> Int {
        let (a, b) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, beforeLast[j - 2] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
