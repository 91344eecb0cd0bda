/// The optional members of a call's body. Null is as good as nothing; a value of another type is refused.
extension JSON {
    func text(_ name: Text) throws(ServiceError) -> Text? { try member(name, as: "a string", \.text) }
    func integer(_ name: Text) throws(ServiceError) -> Int64? { try member(name, as: "a whole number", \.integer) }
    func elements(_ name: Text) throws(ServiceError) -> [JSON]? { try member(name, as: "a list", \.elements) }
    func members(_ name: Text) throws(ServiceError) -> [Member]? { try member(name, as: "an object", \.members) }

    func flag(_ name: Text) throws(ServiceError) -> Bool? {
        try member(name, as: "true or false") { json in
            guard case .bool(let value) = json else { return nil }
            return value
        }
    }

    /// One of a few words, the first of which is meant where none is given.
    func choice(_ name: Text, of words: [Text]) throws(ServiceError) -> Text {
        guard let word = try text(name) else { return words[0] }
        guard words.contains(word) else { throw .validation("\(name) can only be one of \(words)") }
        return word
    }

    func object(_ name: Text) throws(ServiceError) -> JSON? {
        try members(name).map { .object($0) }
    }

    private func member<Value>(
        _ name: Text, as kind: String, _ value: (JSON) -> Value?
    ) throws(ServiceError) -> Value? {
        guard let json = self[name], !json.isNull else { return nil }
        guard let value = value(json) else { throw .serialization("\(name) is not \(kind)") }
        return value
    }
}
