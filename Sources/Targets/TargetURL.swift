/// What `--target` takes: a scheme and a place.
package enum TargetURL {
    /// The target that `url` names; nothing is opened or made yet.
    ///
    /// `sqlite:PATH`, `jsonl:PATH`, `jsonl:-` (standard output), `null:`. The whole rest after the colon is the path,
    /// with no escapes.
    ///
    /// - Parameter existing: what becomes of what lies there already.
    /// - Throws: `.misconfigured` for an unknown scheme, with the nearest known one, and for a path that can't be.
    package static func make(_ url: String, existing: ExistingPolicy = .refuse) throws(TargetError) -> any Target {
        guard let colon = url.firstIndex(of: ":") else {
            throw .misconfigured(target: url, reason: "that is no target: \(suggestion(for: url)) Known: \(known)")
        }
        let rest = String(url[url.index(after: colon)...])
        // Only the scheme is repeated where it is unknown: what follows may hold a password.
        let scheme = url[..<colon].lowercased()
        switch scheme {
        case "sqlite": return try SQLiteTarget(path: TargetPath(rest, target: "sqlite:"), existing: existing)
        case "jsonl":
            return rest == "-"
                ? JSONLinesOutput() : try JSONLinesTarget(path: TargetPath(rest, target: "jsonl:"), existing: existing)
        case "null":
            guard rest.isEmpty else {
                throw .misconfigured(target: "null:", reason: "it keeps nothing, so it takes no path: write null:")
            }
            return NullTarget()
        default:
            throw .misconfigured(
                target: "\(scheme):", reason: "unknown scheme: did you mean \(nearest(to: scheme)):? Known: \(known)")
        }
    }

    private static let schemes = ["sqlite", "jsonl", "null"]
    private static let known = "sqlite:PATH, jsonl:PATH, jsonl:- (standard output), null: (throws everything away)"

    private static func suggestion(for word: String) -> String {
        if schemes.contains(word) { return "a colon and a place are missing after the scheme." }
        if [".jsonl", ".ndjson", ".json"].contains(where: word.hasSuffix) { return "did you mean jsonl:\(word)?" }
        if [".sqlite", ".sqlite3", ".db"].contains(where: word.hasSuffix) { return "did you mean sqlite:\(word)?" }
        return "write a scheme and a colon before the path."
    }

    private static func nearest(to word: String) -> String {
        let distances = schemes.map { (scheme: $0, distance: editDistance(Array(word.utf8), Array($0.utf8))) }
        return distances.min { $0.distance < $1.distance }?.scheme ?? ""
    }

    /// Letters to insert, drop or change to make `b` of `a` (Levenshtein), one row of the table at a time.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
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
