/// The service's longer sentences.
enum Said {
    static func paths(_ how: String, _ one: String, _ two: String) -> String {
        "Two document paths \(how) with each other; must remove or rewrite one of these paths; "
            + "path one: \(one), path two: \(two)"
    }

    static func operands(_ function: String, _ count: Int) -> String {
        "Incorrect number of operands for operator or function; "
            + "operator or function: \(function), number of operands: \(count)"
    }

    static func operandType(_ function: String, _ type: String) -> String {
        "Incorrect operand type for operator or function; operator or function: \(function), operand type: \(type)"
    }

    static func distinct(_ function: String, _ operand: String) -> String {
        "The first operand must be distinct from the remaining operands for this operator or function; "
            + "operator: \(function), first operand: \(operand)"
    }

    static func between(_ what: String, _ low: String, _ high: String) -> String {
        "The BETWEEN operator requires \(what); lower bound operand: AttributeValue: \(low), "
            + "upper bound operand: AttributeValue: \(high)"
    }

    static func misused(_ function: String) -> String {
        "The function is not allowed to be used this way in an expression; function: \(function)"
    }
}
