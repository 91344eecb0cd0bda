/// Reads an UpdateExpression.
struct UpdateParser {
    private typealias Value = UpdateExpression.Value
    private typealias Change = (path: DocumentPath, change: UpdateExpression.Change)

    private static let sections: [Text] = ["SET", "REMOVE", "ADD", "DELETE"]

    private var reader: ExpressionReader

    init(_ text: Text, _ placeholders: Placeholders) throws(ServiceError) {
        reader = try ExpressionReader(text, as: "UpdateExpression", keywords: Self.sections, placeholders)
    }

    var placeholders: Placeholders { reader.placeholders }

    mutating func changes() throws(ServiceError) -> [(path: DocumentPath, change: UpdateExpression.Change)] {
        var changes: [Change] = []
        var seen: Set<Text> = []
        repeat {
            guard let section = Self.sections.first(where: { reader.isAt(keyword: $0) }) else {
                throw reader.syntaxError()
            }
            reader.advance()
            if !seen.insert(section).inserted {
                reader.refuse("The \"\(section)\" section can only be used once in an update expression;")
            }
            repeat { changes.append(try change(section)) } while reader.take(",")
        } while reader.kind != .end
        reader.checkApart(changes.map(\.path))
        try reader.finish()
        return changes
    }

    private mutating func change(_ section: Text) throws(ServiceError) -> Change {
        let path = try reader.path()
        switch section {
        case "SET":
            try reader.expect("=")
            return (path, .set(try value()))
        case "REMOVE": return (path, .remove)
        case "ADD":
            let value = try reader.value()
            check("ADD", value) { $0 == .number || $0.isSet }
            return (path, .add(value))
        default:
            let value = try reader.value()
            check("DELETE", value, \.isSet)
            return (path, .delete(value))
        }
    }

    /// One operator at most: `a + b + c` is no syntax.
    private mutating func value() throws(ServiceError) -> Value {
        let left: Value
        if reader.take("(") {
            try reader.enter()
            left = try value()
            try reader.expect(")")
            reader.leave()
            switch left {
            case .plus, .minus: return left
            case .path, .constant, .ifNotExists, .listAppend: break
            }
        } else {
            left = try operand()
        }
        let name = reader.word
        guard reader.take("+") || reader.take("-") else { return left }
        let right = try operand()
        for operand in [left, right] { check(name, operand, .number) }
        return name == "+" ? .plus(left, right) : .minus(left, right)
    }

    private mutating func operand() throws(ServiceError) -> Value {
        if reader.kind == .value { return .constant(try reader.value()) }
        if reader.isAtFunction { return try function() }
        guard reader.take("(") else { return .path(try reader.path()) }
        try reader.enter()
        let operand = try operand()
        try reader.expect(")")
        reader.leave()
        return operand
    }

    private mutating func function() throws(ServiceError) -> Value {
        let name = reader.word
        reader.advance()
        try reader.expect("(")
        try reader.enter()
        var operands = [try operand()]
        while reader.take(",") { operands.append(try operand()) }
        try reader.expect(")")
        reader.leave()
        switch name {
        case "if_not_exists", "list_append": break
        case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size":
            refuseUse(of: name)
            return .constant(.null)
        default:
            reader.refuse("Invalid function name; function: \(name)")
            return .constant(.null)
        }
        guard operands.count == 2 else {
            reader.refuse(
                "Incorrect number of operands for operator or function; "
                    + "operator or function: \(name), number of operands: \(operands.count)")
            return .constant(.null)
        }
        if name == "if_not_exists" {
            guard case .path(let path) = operands[0] else {
                reader.refuse("Operator or function requires a document path; operator or function: \(name)")
                return .constant(.null)
            }
            return .ifNotExists(path, operands[1])
        }
        for operand in operands {
            check(name, operand, .list)
            // For no reason that is known, but so the service does (observed, says Alternator's test suite).
            if case .listAppend = operand { refuseUse(of: name) }
        }
        return .listAppend(operands[0], operands[1])
    }

    private mutating func refuseUse(of function: Text) {
        reader.refuse("The function is not allowed to be used this way in an expression; function: \(function)")
    }

    private mutating func check(_ name: Text, _ operand: Value, _ kind: AttributeValue.Kind) {
        guard case .constant(let value) = operand, value.kind != kind else { return }
        reader.refuse(
            "Incorrect operand type for operator or function; "
                + "operator or function: \(name), operand type: \(value.type)")
    }

    private mutating func check(_ section: Text, _ value: AttributeValue, _ fits: (AttributeValue.Kind) -> Bool) {
        guard !fits(value.kind) else { return }
        let type =
            switch value.kind {
            case .string: "STRING"
            case .number: "NUMBER"
            case .binary: "BINARY"
            case .bool: "BOOLEAN"
            case .null: "NULL"
            case .list: "LIST"
            case .map: "MAP"
            case .stringSet, .numberSet, .binarySet: value.type
            }
        reader.refuse(
            "Incorrect operand type for operator or function; operator: \(section), operand type: \(type)")
    }
}
