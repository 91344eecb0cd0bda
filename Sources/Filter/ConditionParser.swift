internal import StreamModel

/// Reads a condition by precedence: comparisons, NOT, AND, OR (Developer Guide, condition expressions).
struct ConditionParser {
    private typealias Operand = Condition.Operand

    /// Parentheses stand around operands as well as around conditions, so which one it was shows only afterwards.
    private enum Part {
        case operand(Operand)
        case condition(Condition)
    }

    private static let mostBytes = 4096
    /// Parentheses, functions and NOTs in one another; the service's own limit is not documented.
    private static let deepest = 100
    /// Of IN, besides the one before it.
    private static let mostOperands = 99
    private static let keywords: Set = ["AND", "OR", "NOT", "BETWEEN", "IN"]

    private static let types = Value.Kind.allCases.map(\.rawValue).joined(separator: ", ")

    private let text: [UInt8]
    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    /// Where the last parentheses stood that were closed.
    private var parentheses = (open: -1, close: -1)
    private(set) var placeholders: Placeholders
    private(set) var used: Set<String> = []

    init(_ expression: String, _ placeholders: Placeholders) throws(FilterError) {
        text = Array(expression.utf8)
        self.placeholders = placeholders
        guard text.count <= Self.mostBytes else { throw .tooLong(bytes: text.count) }
        tokens = Token.all(of: text)
    }

    mutating func parse() throws(FilterError) -> Condition {
        let part = try disjunction()
        let condition = try condition(part)
        guard token.kind == .end else { throw unexpected("AND, OR or the end") }
        return condition
    }

    // MARK: Operators

    private mutating func disjunction() throws(FilterError) -> Part {
        let first = try conjunction()
        guard isAt("OR") else { return first }
        var conditions = [try condition(first)]
        while take("OR") {
            let next = try conjunction()
            conditions.append(try condition(next))
        }
        return .condition(.any(conditions))
    }

    private mutating func conjunction() throws(FilterError) -> Part {
        let first = try negation()
        guard isAt("AND") else { return first }
        var conditions = [try condition(first)]
        while take("AND") {
            let next = try negation()
            conditions.append(try condition(next))
        }
        return .condition(.all(conditions))
    }

    private mutating func negation() throws(FilterError) -> Part {
        guard isAt("NOT") else { return try comparison() }
        try enter()
        defer { depth -= 1 }
        _ = take("NOT")
        let part = try negation()
        return .condition(.not(try condition(part)))
    }

    private mutating func comparison() throws(FilterError) -> Part {
        let place = position
        let first = try primary()
        if case .comparison(let comparison) = token.kind {
            let left = try operand(first)
            index += 1
            let right = try nextOperand()
            guard !Self.areSame(left, right) else { throw .sameOperand(of: comparison.rawValue, at: place) }
            switch comparison {
            case .equal, .notEqual: break
            case .less, .lessOrEqual, .greater, .greaterOrEqual:
                try check(comparison.rawValue, [left, right], "S, N or B", at: place, \.isOrdered)
            }
            return .condition(.compare(left, comparison, right))
        }
        if isAt("BETWEEN") {
            let value = try operand(first)
            _ = take("BETWEEN")
            let bounds = position
            let low = try nextOperand()
            guard take("AND") else { throw unexpected("AND and an upper bound") }
            let high = try nextOperand()
            try check("BETWEEN", [value, low, high], "S, N or B", at: place, \.isOrdered)
            if case .constant(let low) = low, case .constant(let high) = high, high.precedes(low) != false {
                throw .bounds(at: bounds)
            }
            return .condition(.between(value, low: low, high: high))
        }
        if isAt("IN") {
            let value = try operand(first)
            _ = take("IN")
            let others = try list()
            guard others.count <= Self.mostOperands else { throw .tooManyOperands(others.count, at: place) }
            return .condition(.among(value, others))
        }
        return first
    }

    // MARK: Operands

    private mutating func primary() throws(FilterError) -> Part {
        switch token.kind {
        case .value:
            let (name, place) = (word, position)
            index += 1
            used.insert(name)
            guard let value = placeholders.value(name) else { throw .undefined(name, at: place) }
            return .operand(.constant(value))
        case .word where !isAtKeyword && tokens[index + 1].kind == .symbol(UInt8(ascii: "(")): return try function()
        case .symbol(UInt8(ascii: "(")):
            let (open, place) = (index, position)
            index += 1
            try enter()
            let part = try disjunction()
            let close = index
            try expect(")")
            depth -= 1
            guard parentheses != (open + 1, close - 1) else { throw .redundantParentheses(at: place) }
            parentheses = (open, close)
            return part
        default: return .operand(.path(try path()))
        }
    }

    private mutating func nextOperand() throws(FilterError) -> Operand {
        let part = try primary()
        return try operand(part)
    }

    private mutating func list() throws(FilterError) -> [Operand] {
        try expect("(")
        try enter()
        var operands = [try nextOperand()]
        while take(symbol: ",") { operands.append(try nextOperand()) }
        try expect(")")
        depth -= 1
        return operands
    }

    private mutating func path() throws(FilterError) -> DocumentPath {
        var path = DocumentPath(try name())
        while true {
            if take(symbol: ".") {
                path.steps.append(.name(try name()))
            } else if take(symbol: "[") {
                guard token.kind == .number, let number = Int32(word) else { throw unexpected("the index of a list") }
                index += 1
                path.steps.append(.index(Int(number)))
                try expect("]")
            } else {
                return path
            }
            guard path.steps.count < 32 else { throw .tooDeep(at: position) }
        }
    }

    private mutating func name() throws(FilterError) -> [UInt8] {
        let (word, place) = (word, position)
        switch token.kind {
        case .word where !isAtKeyword:
            guard !ReservedWords.contains(word) else { throw .reserved(word, at: place) }
            index += 1
            return Array(word.utf8)
        case .name:
            index += 1
            used.insert(word)
            guard let name = placeholders.name(word) else { throw .undefined(word, at: place) }
            return name
        default: throw unexpected("an attribute, a #name, a :value, a function or '('")
        }
    }

    private mutating func function() throws(FilterError) -> Part {
        let (name, place) = (word, position)
        let wanted: Int
        switch name {
        case "attribute_exists", "attribute_not_exists", "size": wanted = 1
        case "attribute_type", "begins_with", "contains": wanted = 2
        default: throw .unknownFunction(name, at: place)
        }
        index += 1
        let operands = try list()
        guard operands.count == wanted else {
            throw .operandCount(of: name, expected: wanted, found: operands.count, at: place)
        }
        if wanted == 2, Self.areSame(operands[0], operands[1]) { throw .sameOperand(of: name, at: place) }
        switch name {
        case "attribute_exists", "attribute_not_exists":
            guard case .path(let path) = operands[0] else {
                throw .operandType(of: name, expected: "an attribute", found: "something else", at: place)
            }
            return .condition(name == "attribute_exists" ? .exists(path) : .not(.exists(path)))
        case "attribute_type":
            guard case .constant(.string(let type)) = operands[1],
                let kind = Value.Kind(rawValue: String(decoding: type, as: UTF8.self))
            else {
                throw .operandType(
                    of: name, expected: "a value that names a type (\(Self.types))", found: "something else", at: place)
            }
            return .condition(.hasType(operands[0], kind))
        case "begins_with":
            try check(name, operands, "S or B", at: place) { $0 == .string || $0 == .binary }
            return .condition(.beginsWith(operands[0], operands[1]))
        case "contains": return .condition(.contains(operands[0], operands[1]))
        default:
            try check(name, operands, "what has a size", at: place, \.hasSize)
            return .operand(.size(operands[0]))
        }
    }

    /// Only of constants: what an item holds is not known yet, and then merely makes the condition false.
    private func check(
        _ name: String, _ operands: [Operand], _ expected: String, at place: Int, _ fits: (Value.Kind) -> Bool
    ) throws(FilterError) {
        for case .constant(let value) in operands where !fits(value.kind) {
            throw .operandType(of: name, expected: expected, found: value.kind.rawValue, at: place)
        }
    }

    private static func areSame(_ one: Operand, _ other: Operand) -> Bool {
        if case .path(let one) = one, case .path(let other) = other { one == other } else { false }
    }

    private func condition(_ part: Part) throws(FilterError) -> Condition {
        guard case .condition(let condition) = part else { throw unexpected("a comparison, BETWEEN or IN") }
        return condition
    }

    private func operand(_ part: Part) throws(FilterError) -> Operand {
        guard case .operand(let operand) = part else {
            throw unexpected("AND, OR or the end: a condition is no operand")
        }
        return operand
    }

    // MARK: Tokens

    private var token: Token { tokens[index] }
    private var word: String { String(decoding: text[token.range], as: UTF8.self) }

    /// Of the present token, in characters from 1.
    private var position: Int {
        String(decoding: text[..<token.range.lowerBound], as: UTF8.self).unicodeScalars.count + 1
    }

    private func unexpected(_ expected: String) -> FilterError {
        .syntax(expected: expected, found: token.kind == .end ? "the end" : "'\(word)'", at: position)
    }

    /// Keywords are known in any case, and functions only in their own.
    private func isAt(_ keyword: String) -> Bool { token.kind == .word && word.uppercased() == keyword }
    private var isAtKeyword: Bool { token.kind == .word && Self.keywords.contains(word.uppercased()) }

    private mutating func take(_ keyword: String) -> Bool {
        guard isAt(keyword) else { return false }
        index += 1
        return true
    }

    private mutating func take(symbol: Unicode.Scalar) -> Bool {
        guard token.kind == .symbol(UInt8(ascii: symbol)) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ symbol: Unicode.Scalar) throws(FilterError) {
        guard take(symbol: symbol) else { throw unexpected("'\(symbol)'") }
    }

    private mutating func enter() throws(FilterError) {
        depth += 1
        guard depth <= Self.deepest else { throw .tooDeep(at: position) }
    }
}
