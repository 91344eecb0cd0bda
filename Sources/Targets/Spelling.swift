/// Guesses what was meant by a name that isn't known.
enum Spelling {
    /// The name that takes the fewest edits; the first of several.
    static func nearest(to word: String, in names: [String]) -> String? {
        names.map { (name: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }.min {
            $0.distance < $1.distance
        }?
        .name
    }

    /// Letters to insert, drop or change to make `b` of `a` (Levenshtein), one row of the table at a time.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.prefix(64).enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                (diagonal, row[j + 1]) = (row[j + 1], min(row[j + 1] + 1, row[j] + 1, diagonal + (x == y ? 0 : 1)))
            }
        }
        return row[b.count]
    }
}
