internal import AllTargets
internal import DynamoDB
internal import Targets
internal import Yams

/// Reads the YAML file into settings. Pure: the text comes in as an argument.
///
/// Every mistake is an error that names the file, the line and the remedy: a misspelled key that was silently ignored
/// would be found when it is too late.
struct ConfigurationFile {
    let name: String

    /// - Throws: `.configuration`.
    func settings(from text: String) throws(ShakectlError) -> Settings {
        var settings = Settings()
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw syntax(error)
        }
        guard let root, root != "" else { return settings }  // an empty file, or comments only
        guard case .mapping(let mapping) = root else {
            throw fail(
                at: root, "expected keys and values, such as 'target: sqlite:replica.db', found \(Self.what(root))")
        }
        var options: [(entry: TargetOptions.Entry, node: Node)] = []
        try read(mapping, under: "", into: &settings, &options)
        try take(options, into: &settings)
        return settings
    }

    /// - Parameter options: what stands beside the target's URL and is for the target to know.
    private func read(
        _ mapping: Node.Mapping, under prefix: String, into settings: inout Settings,
        _ options: inout [(entry: TargetOptions.Entry, node: Node)]
    ) throws(ShakectlError) {
        for (keyNode, value) in mapping {
            guard case .scalar(let scalar) = keyNode else {
                throw fail(at: keyNode, "expected the name of a key, found \(Self.what(keyNode))")
            }
            let path = prefix + scalar.string
            if Self.groups.contains(path), case .mapping(let inner) = value {
                try read(inner, under: path + ".", into: &settings, &options)
            } else if let key = ConfigurationKey(path: path) {
                guard key.set(try values(of: value, for: key, at: keyNode), in: &settings) else {
                    // A URL may hold a password.
                    let found = key == .endpoint ? SourceConfiguration.quoted(value.string ?? "") : Self.what(value)
                    throw fail(at: keyNode, "'\(path)' expects \(key.expects), found \(found)")
                }
            } else if prefix == "target.", !Self.isSecret(scalar.string) {
                try collect(value, [scalar.string], at: keyNode, into: &options)
            } else if Self.groups.contains(path) {
                throw fail(
                    at: value.mark == nil ? keyNode : value,
                    "'\(path)' expects keys below it (\(Self.members(of: path))), found \(Self.what(value))")
            } else {
                throw unknown(path, at: keyNode)
            }
        }
    }

    /// The values below an option of the target, with the names that lead to each.
    private func collect(
        _ value: Node, _ path: [String], at node: Node,
        into options: inout [(entry: TargetOptions.Entry, node: Node)]
    ) throws(ShakectlError) {
        switch value {
        case .scalar(let scalar) where value.tag != Tag(.null):
            options.append((TargetOptions.Entry(path: path, value: scalar.string), node))
        case .mapping(let mapping):
            for (name, value) in mapping {
                guard case .scalar(let scalar) = name else {
                    throw fail(at: name, "expected the name of a key, found \(Self.what(name))")
                }
                try collect(value, path + [scalar.string], at: name, into: &options)
            }
        default:
            throw fail(
                at: node, "'target.\(path.joined(separator: "."))' expects a value, found \(Self.what(value))")
        }
    }

    /// Options are the target's to know, so they are looked at once all of the file is read. Where a flag names the target, it is
    /// not known here: then they are looked at when that is made.
    private func take(
        _ options: [(entry: TargetOptions.Entry, node: Node)], into settings: inout Settings
    ) throws(ShakectlError) {
        guard !options.isEmpty else { return }
        if let url = settings.target, let scheme = try? TargetSchemes.all.scheme(of: url).scheme {
            for (entry, node) in options {
                guard let complaint = scheme.complaint(about: entry) else { continue }
                throw fail(at: node, "'target.\(entry.path.joined(separator: "."))' \(complaint)")
            }
        }
        settings.targetOptions = TargetOptions(options.map(\.entry))
    }

    private func values(of node: Node, for key: ConfigurationKey, at keyNode: Node) throws(ShakectlError) -> [String] {
        switch (node, key.isList) {
        case (.mapping, false) where key.isJSON: return [try json(of: node, for: key)]
        case (.scalar(let scalar), false) where node.tag != Tag(.null): return [scalar.string]
        case (.scalar(let scalar), true) where key.mayBeOne && node.tag != Tag(.null): return [scalar.string]
        case (.sequence(let nodes), true):
            var values: [String] = []
            for node in nodes {
                guard case .scalar(let scalar) = node else {
                    throw fail(at: node, "'\(key.path)' expects \(key.expects), found \(Self.what(node)) in it")
                }
                values.append(scalar.string)
            }
            return values
        default: throw fail(at: keyNode, "'\(key.path)' expects \(key.expects), found \(Self.what(node))")
        }
    }

    /// Keys and values as the JSON of the service's API, where every scalar is a text but under BOOL and NULL.
    private func json(of node: Node, under type: String = "", for key: ConfigurationKey) throws(ShakectlError) -> String
    {
        switch node {
        case .scalar(let scalar):
            if type == "BOOL" || type == "NULL", let bool = Bool(scalar.string.lowercased()) { return "\(bool)" }
            return JSON.string(scalar.string).line
        case .sequence(let nodes):
            var elements: [String] = []
            for node in nodes { elements.append(try json(of: node, for: key)) }
            return "[" + elements.joined(separator: ",") + "]"
        case .mapping(let mapping):
            var members: [String] = []
            for (name, value) in mapping {
                guard case .scalar(let scalar) = name else {
                    throw fail(
                        at: name, "'\(key.path)' expects \(key.expects), found \(Self.what(name)) as a name in it")
                }
                members.append(
                    JSON.string(scalar.string).line + ":" + (try json(of: value, under: scalar.string, for: key)))
            }
            return "{" + members.joined(separator: ",") + "}"
        case .alias: throw fail(at: node, "'\(key.path)' expects \(key.expects), found an alias in it")
        }
    }

    /// `source`, `log`, …: the keys that only hold others.
    private static let groups = Set(
        ConfigurationKey.allCases.compactMap { key in
            key.path.split(separator: ".").count == 2 ? key.path.split(separator: ".").first.map(String.init) : nil
        })

    private static func members(of group: String) -> String {
        ConfigurationKey.allCases.map(\.path).filter { $0.hasPrefix(group + ".") && ConfigurationKey(path: $0) != nil }
            .map { $0.dropFirst(group.count + 1) }
            .joined(separator: ", ")
    }

    private func unknown(_ path: String, at node: Node) -> ShakectlError {
        let last = String(path.split(separator: ".").last ?? "")
        if Self.isSecret(last) {
            return fail(
                at: node,
                """
                '\(path)': secrets don't belong into this file. Credentials come from the environment \
                (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or from the profile in ~/.aws that \
                'source.profile' names; remove this key
                """)
        }
        // `region:` at the top is nearest to `source.region`, though five letters are missing.
        let paths = ConfigurationKey.allCases.map(\.path)
        let nearest = NearestName.of(path, in: paths + Self.groups.sorted()) { candidate in
            [candidate, String(candidate.split(separator: ".").last ?? "")]
        }
        return fail(at: node, "unknown key '\(path)': did you mean '\(nearest ?? "")'?")
    }

    private static func isSecret(_ name: String) -> Bool {
        let flat = name.lowercased().filter { $0 != "_" && $0 != "-" }
        return ["accesskey", "secret", "password", "token", "credential"].contains { flat.contains($0) }
    }

    private static func what(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar) where node.tag == Tag(.null):
            scalar.string.isEmpty ? "nothing" : ExposedPassword.quoted(scalar.string)
        case .scalar(let scalar): scalar.string.isEmpty ? "an empty text" : ExposedPassword.quoted(scalar.string)
        case .sequence: "a list"
        case .mapping: "keys and values"
        case .alias: "an alias"
        }
    }

    private func syntax(_ error: any Error) -> ShakectlError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            .configuration(
                "\(name):\(mark.line): this is not YAML: \(problem)"
                    + (problem.contains("mapping values")
                        ? "; a value with a colon at its end, such as 'null:', stands in quotes" : ""))
        case .duplicatedKeysInMapping(let duplicates, let context):
            .configuration(
                "\(name):\(context.mark.line): said twice: \(duplicates.joined(separator: ", ")); keep one")
        case .reader(let problem, _, _, _): .configuration("\(name): this is not YAML: \(problem)")
        default: .configuration("\(name): this is not YAML: \(error)")
        }
    }

    private func fail(at node: Node, _ text: String) -> ShakectlError {
        .configuration("\(name)\(node.mark.map { ":\($0.line)" } ?? ""): \(text)")
    }
}
