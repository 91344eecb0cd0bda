/// The kinds of targets that there are, and what `--target` takes: a scheme and a place.
package struct TargetSchemes: Sendable {
    package let all: [TargetScheme]
    /// Names of schemes that this build was made without, and the package trait that brings each.
    package let leftOut: [String: String]

    package init(_ all: [TargetScheme], leftOut: [String: String] = [:]) {
        self.all = all
        self.leftOut = leftOut
    }

    /// Those that need no server.
    package static let embedded: [TargetScheme] = [
        TargetScheme("sqlite", form: "sqlite:PATH") { request throws(TargetError) in
            try SQLiteTarget(path: TargetPath(request.rest, target: "sqlite:"), existing: request.existing)
        },
        TargetScheme("jsonl", form: "jsonl:PATH, jsonl:- (standard output)") { request throws(TargetError) in
            if request.rest == "-" { return JSONLinesOutput() }
            return try JSONLinesTarget(
                path: TargetPath(request.rest, target: "jsonl:"), existing: request.existing)
        },
        TargetScheme("null", form: "null: (throws everything away)") { request throws(TargetError) in
            guard request.rest.isEmpty else {
                throw .misconfigured(target: "null:", reason: "it keeps nothing, so it takes no path: write null:")
            }
            return NullTarget()
        },
    ]

    /// How each is written.
    package var forms: [String] { all.map(\.form) }

    /// The target that `url` names; nothing is opened or made yet.
    ///
    /// - Parameters:
    ///   - existing: what becomes of what lies there already.
    ///   - options: what was said of it beside the URL.
    ///   - environment: the process's, for targets that find credentials there.
    ///   - source: where the changes come from, for targets that could be the same place.
    /// - Throws: `.misconfigured` for an unknown scheme, with the nearest known one, for a place that can't be, and for an
    ///   option that the target has not.
    package func make(
        _ url: String, existing: ExistingPolicy = .refuse, options: TargetOptions = TargetOptions(),
        environment: [String: String] = [:], source: TargetRequest.Source? = nil
    ) throws(TargetError) -> any Target {
        let (scheme, rest) = try scheme(of: url)
        for entry in options.entries {
            guard let complaint = scheme.complaint(about: entry) else { continue }
            throw .misconfigured(
                target: "\(scheme.name):", reason: "'\(entry.path.joined(separator: "."))' \(complaint)")
        }
        if let twice = options.twice {
            throw .misconfigured(
                target: "\(scheme.name):", reason: "'\(twice.joined(separator: "."))' is said twice: keep one")
        }
        return try scheme.make(
            TargetRequest(
                url: url, rest: rest, existing: existing, options: options, environment: environment,
                source: source))
    }

    /// The kind that `url` names, and what stands after the colon.
    ///
    /// - Throws: as `make`.
    package func scheme(of url: String) throws(TargetError) -> (scheme: TargetScheme, rest: String) {
        guard let colon = url.firstIndex(of: ":") else {
            throw .misconfigured(target: url, reason: "that is no target: \(suggestion(for: url)) Known: \(known)")
        }
        let rest = String(url[url.index(after: colon)...])
        // Only the scheme is repeated where it is unknown: what follows may hold a password.
        let name = url[..<colon].lowercased()
        if let scheme = all.first(where: { $0.names.contains(name) }) { return (scheme, rest) }
        if let trait = leftOut[name] {
            throw .misconfigured(
                target: "\(name):",
                reason:
                    "this shakectl was built without it: build it with the package trait \(trait), which is on by default"
            )
        }
        let nearest = Spelling.nearest(to: name, in: all.flatMap(\.names)) ?? ""
        throw .misconfigured(
            target: "\(name):", reason: "unknown scheme: did you mean \(nearest):? Known: \(known)")
    }

    private var known: String { forms.joined(separator: ", ") }

    private func suggestion(for word: String) -> String {
        if all.contains(where: { $0.names.contains(word) }) {
            return "a colon and a place are missing after the scheme."
        }
        if [".jsonl", ".ndjson", ".json"].contains(where: word.hasSuffix) { return "did you mean jsonl:\(word)?" }
        if [".sqlite", ".sqlite3", ".db"].contains(where: word.hasSuffix) { return "did you mean sqlite:\(word)?" }
        return "write a scheme and a colon before the path."
    }
}
