/// What the parsers of all expressions share: tokens, placeholders and paths.
///
/// The service reads to the end before it says what is wrong with the meaning; so what is wrong with the syntax is
/// thrown at once, and the rest is kept until then.
struct ExpressionReader {
    static let mostBytes = 4096
    /// Parentheses and functions in one another. The service's own limit is not documented.
    static let deepest = 100

    /// As the API names it: ConditionExpression …
    private let parameter: String
    private let text: [UInt8]
    private let tokens: [ExpressionToken]
    /// Words that the grammar keeps for itself, in capitals.
    private let keywords: [Text]
    private(set) var index = 0
    private var depth = 0
    private var refusal: ServiceError?
    private(set) var placeholders: Placeholders

    init(_ text: Text, as parameter: String, keywords: [Text], _ placeholders: Placeholders) throws(ServiceError) {
        self.parameter = parameter
        self.text = text.bytes
        self.keywords = keywords
        self.placeholders = placeholders
        let isShort = text.bytes.count <= Self.mostBytes
        tokens = isShort ? ExpressionToken.all(of: text.bytes) : []
        guard !text.isEmpty else { throw error("The expression can not be empty;") }
        guard isShort else {
            throw error(
                "Expression size has exceeded the maximum allowed size; expression size: \(text.bytes.count)")
        }
    }

    // MARK: What is wrong

    private func error(_ message: String) -> ServiceError { .validation("Invalid \(parameter): \(message)") }

    /// Keeps it until the end; the first one counts.
    mutating func refuse(_ message: String) { if refusal == nil { refusal = error(message) } }

    func syntaxError() -> ServiceError {
        let token = tokens[index]
        let shown = token.kind == .end ? "<EOF>" : string(token.range)
        let before = index > 0 ? tokens[index - 1] : token
        let after = index + 1 < tokens.count ? tokens[index + 1] : token
        let near = string(before.range.lowerBound..<after.range.upperBound)
        return error("Syntax error; token: \"\(shown)\", near: \"\(near)\"")
    }

    /// At the end of the text.
    func finish() throws(ServiceError) {
        guard kind == .end else { throw syntaxError() }
        if let refusal { throw refusal }
    }

    private func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }

    // MARK: Tokens

    var kind: ExpressionToken.Kind { tokens[index].kind }
    /// Of the one behind the present one.
    var nextKind: ExpressionToken.Kind { index + 1 < tokens.count ? tokens[index + 1].kind : .end }
    /// Of the present one.
    var word: Text { Text(checked: Array(text[tokens[index].range])) }

    /// The end is never passed.
    mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    func isAt(_ symbol: Unicode.Scalar) -> Bool { kind == .symbol(UInt8(ascii: symbol)) }

    mutating func take(_ symbol: Unicode.Scalar) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Unicode.Scalar) throws(ServiceError) {
        guard take(symbol) else { throw syntaxError() }
    }

    /// Keywords are known in any case, and functions only in their own.
    func isAt(keyword: Text) -> Bool {
        let range = tokens[index].range
        guard kind == .word, range.count == keyword.bytes.count else { return false }
        return zip(text[range], keyword.bytes).allSatisfy { $0 & 0xDF == $1 }
    }

    mutating func take(keyword: Text) -> Bool {
        guard isAt(keyword: keyword) else { return false }
        advance()
        return true
    }

    var isAtFunction: Bool { kind == .word && nextKind == .symbol(UInt8(ascii: "(")) && !isAtKeyword }
    private var isAtKeyword: Bool { keywords.contains { isAt(keyword: $0) } }

    mutating func enter() throws(ServiceError) {
        depth += 1
        guard depth <= Self.deepest else { throw error("The expression is nested too deeply;") }
    }

    mutating func leave() { depth -= 1 }

    // MARK: Operands

    /// The value behind `:value`.
    mutating func value() throws(ServiceError) -> AttributeValue {
        guard kind == .value else { throw syntaxError() }
        let name = word
        advance()
        guard let value = placeholders.value(name) else {
            refuse("An expression attribute value used in expression is not defined; attribute value: \(name)")
            return .null
        }
        return value
    }

    mutating func path() throws(ServiceError) -> DocumentPath {
        var path = DocumentPath(try name())
        while true {
            if take(".") {
                path.elements.append(.name(try name()))
            } else if take("[") {
                path.elements.append(.index(try listIndex()))
                try expect("]")
            } else {
                break
            }
        }
        if path.elements.count > AttributeValue.deepest {
            refuse("The document path has too many nesting elements; nesting levels: \(path.elements.count)")
        }
        return path
    }

    private mutating func name() throws(ServiceError) -> Text {
        let word = self.word
        switch kind {
        case .word where !isAtKeyword:
            advance()
            if ReservedWords.contains(word) {
                refuse("Attribute name is a reserved keyword; reserved keyword: \(word)")
            }
            return word
        case .name:
            advance()
            guard let name = placeholders.name(word) else {
                refuse("An expression attribute name used in the document path is not defined; attribute name: \(word)")
                return word
            }
            return name
        default: throw syntaxError()
        }
    }

    private mutating func listIndex() throws(ServiceError) -> Int {
        guard kind == .number else { throw syntaxError() }
        let digits = word
        advance()
        guard let index = Int32(digits.string) else {
            refuse("List index is not within the allowable range; index: [\(digits)]")
            return 0
        }
        return Int(index)
    }

    /// Refuses paths of which one contains another, or that take one thing for a map and for a list.
    mutating func checkApart(_ paths: [DocumentPath]) {
        for (place, path) in paths.enumerated() {
            for earlier in paths[..<place] {
                let how: String
                switch earlier.relation(to: path) {
                case .apart: continue
                case .overlap: how = "overlap"
                case .conflict: how = "conflict"
                }
                refuse(
                    "Two document paths \(how) with each other; must remove or rewrite one of these paths; "
                        + "path one: \(earlier), path two: \(path)")
            }
        }
    }
}
