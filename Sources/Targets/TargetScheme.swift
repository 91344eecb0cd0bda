/// A kind of target, as an operator names it: by the scheme of its URL. A new kind is one more value of this.
package struct TargetScheme: Sendable {
    /// In lower case; the first is the one that errors speak of, such as `sqlite`.
    package let names: [String]
    /// How it is written, such as `sqlite:PATH`.
    package let form: String
    /// What may stand beside the URL.
    package let options: [TargetOption]
    /// Opens and makes nothing yet. Throws `.misconfigured` for a place or a value that can't be.
    package let make: @Sendable (TargetRequest) throws(TargetError) -> any Target

    package init(
        _ names: String..., form: String, options: [TargetOption] = [],
        make: @escaping @Sendable (TargetRequest) throws(TargetError) -> any Target
    ) {
        self.names = names
        self.form = form
        self.options = options
        self.make = make
    }

    package var name: String { names.first ?? form }

    /// What is wrong with an option as a text that goes on after its name; `nil` where nothing is.
    package func complaint(about entry: TargetOptions.Entry) -> String? {
        let name = entry.path.first ?? ""
        guard let option = options.first(where: { $0.name == name }) else {
            let known = ["url", "existing"] + options.map(\.name)
            return
                "is unknown to the target \(self.name): did you mean '\(Spelling.nearest(to: name, in: known) ?? "")'? It has "
                + known.joined(separator: ", ")
        }
        return option.takes(entry) ? nil : "expects \(option.expects)"
    }
}

/// What was asked for: everything that a target is made of.
package struct TargetRequest: Sendable {
    /// As it was written.
    package let url: String
    /// What stands after the scheme's colon.
    package let rest: String
    package let existing: ExistingPolicy
    package let options: TargetOptions
    package let environment: [String: String]
    /// Where the changes come from, so that a target can see whether it is the same place; `nil` where nobody says.
    package let source: Source?

    /// What was said of the source.
    package struct Source: Hashable, Sendable {
        package var region: String?
        package var endpoint: String?
        package var profile: String?

        package init(region: String? = nil, endpoint: String? = nil, profile: String? = nil) {
            self.region = region
            self.endpoint = endpoint
            self.profile = profile
        }
    }

    package init(
        url: String, rest: String, existing: ExistingPolicy = .refuse, options: TargetOptions = TargetOptions(),
        environment: [String: String] = [:], source: Source? = nil
    ) {
        self.url = url
        self.rest = rest
        self.existing = existing
        self.options = options
        self.environment = environment
        self.source = source
    }
}
