/// Reads a condition by precedence: comparisons, NOT, AND, OR.
struct ConditionParser {
    private typealias Node = Condition.Node
    private typealias Operand = Condition.Operand

    /// Parentheses stand around operands as well as around conditions, so which one it was shows only afterwards.
    private enum Part {
        case operand(Operand)
        case condition(Node, function: Text?)
        /// Refused already, and good for both.
        case refused
    }

    /// Of IN, counting the one before it (Developer Guide: 100 operands).
    private static let mostOperands = 100
    private static let nothing = Operand.constant(.null)

    private var reader: ExpressionReader
    /// Where the last parentheses stood that were closed.
    private var parentheses = (open: -1, close: -1)

    init(_ text: Text, as parameter: String, _ placeholders: Placeholders) throws(ServiceError) {
        reader = try ExpressionReader(
            text, as: parameter, keywords: ["BETWEEN", "IN", "AND", "OR", "NOT"], placeholders)
    }

    var placeholders: Placeholders { reader.placeholders }

    mutating func condition() throws(ServiceError) -> Condition.Node {
        let node = try node(disjunction())
        try reader.finish()
        return node
    }

    // MARK: Operators

    private mutating func disjunction() throws(ServiceError) -> Part {
        let first = try conjunction()
        guard reader.isAt(keyword: "OR") else { return first }
        var nodes = [try node(first)]
        while reader.take(keyword: "OR") { nodes.append(try node(conjunction())) }
        return .condition(.or(nodes), function: nil)
    }

    private mutating func conjunction() throws(ServiceError) -> Part {
        let first = try negation()
        guard reader.isAt(keyword: "AND") else { return first }
        var nodes = [try node(first)]
        while reader.take(keyword: "AND") { nodes.append(try node(negation())) }
        return .condition(.and(nodes), function: nil)
    }

    private mutating func negation() throws(ServiceError) -> Part {
        guard reader.take(keyword: "NOT") else { return try comparison() }
        try reader.enter()
        let node = try node(negation())
        reader.leave()
        return .condition(.not(node), function: nil)
    }

    private mutating func comparison() throws(ServiceError) -> Part {
        let first = try primary()
        if let comparison = comparator {
            let name = reader.word
            let left = try operand(first)
            reader.advance()
            let right = try operand(primary())
            checkDistinct(name, [left, right])
            switch comparison {
            case .equal, .notEqual: break
            case .less, .lessOrEqual, .greater, .greaterOrEqual: checkOrdered(name, [left, right])
            }
            return .condition(.compare(comparison, left, right), function: nil)
        }
        if reader.isAt(keyword: "BETWEEN") {
            let value = try operand(first)
            reader.advance()
            let low = try operand(primary())
            guard reader.take(keyword: "AND") else { throw reader.syntaxError() }
            let high = try operand(primary())
            checkOrdered("BETWEEN", [value, low, high])
            checkBounds(low, high)
            return .condition(.between(value, low: low, high: high), function: nil)
        }
        if reader.isAt(keyword: "IN") {
            let value = try operand(first)
            reader.advance()
            let others = try list().map { part throws(ServiceError) in try operand(part) }
            if others.count >= Self.mostOperands {
                reader.refuse(
                    "The IN operator is provided with too many operands; number of operands: \(others.count + 1)")
            }
            return .condition(.isIn(value, others), function: nil)
        }
        return first
    }

    private var comparator: Condition.Comparison? {
        switch reader.kind {
        case .symbol(UInt8(ascii: "=")): .equal
        case .symbol(UInt8(ascii: "<")): .less
        case .symbol(UInt8(ascii: ">")): .greater
        case .notEqual: .notEqual
        case .lessOrEqual: .lessOrEqual
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }

    // MARK: Operands

    private mutating func primary() throws(ServiceError) -> Part {
        if reader.kind == .value { return .operand(.constant(try reader.value())) }
        if reader.isAtFunction { return try function() }
        let open = reader.index
        guard reader.take("(") else { return .operand(.path(try reader.path())) }
        try reader.enter()
        let part = try disjunction()
        let close = reader.index
        try reader.expect(")")
        reader.leave()
        if parentheses == (open + 1, close - 1) { reader.refuse("The expression has redundant parentheses;") }
        parentheses = (open, close)
        return part
    }

    private mutating func list() throws(ServiceError) -> [Part] {
        try reader.expect("(")
        try reader.enter()
        var parts = [try primary()]
        while reader.take(",") { parts.append(try primary()) }
        try reader.expect(")")
        reader.leave()
        return parts
    }

    private mutating func node(_ part: Part) throws(ServiceError) -> Node {
        switch part {
        case .condition(let node, _): return node
        case .operand(.size): refuseUse(of: "size")
        case .operand: throw reader.syntaxError()
        case .refused: break
        }
        return .and([])
    }

    private mutating func operand(_ part: Part) throws(ServiceError) -> Operand {
        switch part {
        case .operand(let operand): return operand
        case .condition(_, let function?): refuseUse(of: function)
        case .condition(_, nil): throw reader.syntaxError()
        case .refused: break
        }
        return Self.nothing
    }

    // MARK: Functions

    private mutating func function() throws(ServiceError) -> Part {
        let name = reader.word
        reader.advance()
        let operands = try list().map { part throws(ServiceError) in try operand(part) }
        let wanted: Int
        switch name {
        case "attribute_exists", "attribute_not_exists", "size": wanted = 1
        case "attribute_type", "begins_with", "contains": wanted = 2
        case "if_not_exists", "list_append":
            refuseUse(of: name)
            return .refused
        default:
            reader.refuse("Invalid function name; function: \(name)")
            return .refused
        }
        guard operands.count == wanted else {
            reader.refuse(
                "Incorrect number of operands for operator or function; "
                    + "operator or function: \(name), number of operands: \(operands.count)")
            return .refused
        }
        checkDistinct(name, operands)
        let first = operands[0]
        switch name {
        case "attribute_exists", "attribute_not_exists":
            guard case .path(let path) = first else {
                reader.refuse("Operator or function requires a document path; operator or function: \(name)")
                return .refused
            }
            return .condition(name == "attribute_exists" ? .exists(path) : .notExists(path), function: name)
        case "attribute_type":
            guard let kind = typeOperand(operands[1]) else { return .refused }
            return .condition(.hasType(first, kind), function: name)
        case "begins_with":
            for operand in operands { check(name, operand) { $0 == .string || $0 == .binary } }
            return .condition(.beginsWith(first, operands[1]), function: name)
        case "contains": return .condition(.contains(first, operands[1]), function: name)
        default:
            check(name, first) { $0 != .number && $0 != .bool && $0 != .null }
            return .operand(.size(first))
        }
    }

    private mutating func typeOperand(_ operand: Operand) -> AttributeValue.Kind? {
        guard case .constant(.string(let type)) = operand else {
            let shown =
                if case .constant(let value) = operand { value.type } else { "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}" }
            reader.refuse(
                "Incorrect operand type for operator or function; "
                    + "operator or function: attribute_type, operand type: \(shown)")
            return nil
        }
        guard let kind = AttributeValue.Kind(rawValue: type.string) else {
            reader.refuse(
                "Invalid attribute type name found; type: \(type), valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}")
            return nil
        }
        return kind
    }

    // MARK: What is refused

    private mutating func refuseUse(of function: Text) {
        reader.refuse("The function is not allowed to be used this way in an expression; function: \(function)")
    }

    /// Only of constants: what the item holds is not known yet, and then merely makes the condition false.
    private mutating func check(_ name: Text, _ operand: Operand, _ fits: (AttributeValue.Kind) -> Bool) {
        guard case .constant(let value) = operand, !fits(value.kind) else { return }
        reader.refuse(
            "Incorrect operand type for operator or function; "
                + "operator or function: \(name), operand type: \(value.type)")
    }

    private mutating func checkOrdered(_ name: Text, _ operands: [Operand]) {
        for operand in operands { check(name, operand, \.isOrdered) }
    }

    private mutating func checkDistinct(_ name: Text, _ operands: [Operand]) {
        guard operands.count == 2, case .path(let path) = operands[0], case .path(path) = operands[1] else { return }
        reader.refuse(
            "The first operand must be distinct from the remaining operands for this operator or function; "
                + "operator: \(name), first operand: \(path)")
    }

    private mutating func checkBounds(_ low: Operand, _ high: Operand) {
        guard case .constant(let low) = low, case .constant(let high) = high else { return }
        let how: String
        if low.kind != high.kind {
            how = "same data type for lower and upper bounds"
        } else if Node.precedes(high, low) == true {
            how = "upper bound to be greater than or equal to lower bound"
        } else {
            return
        }
        reader.refuse(
            "The BETWEEN operator requires \(how); lower bound operand: AttributeValue: \(Self.shown(low)), "
                + "upper bound operand: AttributeValue: \(Self.shown(high))")
    }

    private static func shown(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): return "{S:\(text)}"
        case .number(let number): return "{N:\(number)}"
        default:
            var bytes: [UInt8] = []
            value.write(into: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
