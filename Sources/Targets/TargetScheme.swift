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

    package init(
        url: String, rest: String, existing: ExistingPolicy = .refuse, options: TargetOptions = TargetOptions(),
        environment: [String: String] = [:]
    ) {
        self.url = url
        self.rest = rest
        self.existing = existing
        self.options = options
        self.environment = environment
    }
}
