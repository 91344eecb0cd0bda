/// Why an expression can't be used. The service would refuse each of these, too.
package enum FilterError: Error, Equatable, CustomStringConvertible {
    /// - Parameter at: the character, from 1.
    case syntax(expected: String, found: String, at: Int)
    case reserved(String, at: Int)
    case undefined(String, at: Int)
    case unknownFunction(String, at: Int)
    case operandCount(of: String, expected: Int, found: Int, at: Int)
    case operandType(of: String, expected: String, found: String, at: Int)
    /// An operand must be another than the first one.
    case sameOperand(of: String, at: Int)
    case tooManyOperands(Int, at: Int)
    case redundantParentheses(at: Int)
    case bounds(at: Int)
    case tooDeep(at: Int)
    case tooLong(bytes: Int)
    /// The JSON of names or values isn't what it must be.
    case placeholders(of: String, reason: String)
    case unused([String])

    package var description: String {
        switch self {
        case .syntax(let expected, let found, let at): "character \(at): expected \(expected), found \(found)"
        case .reserved(let word, let at):
            "character \(at): \(word) is a reserved word of DynamoDB: write #\(word.lowercased()), and give its name among "
                + "the names"
        case .undefined(let name, let at):
            "character \(at): \(name) is not among the \(name.hasPrefix("#") ? "names" : "values")"
        case .unknownFunction(let name, let at):
            "character \(at): there is no function \(name): take attribute_exists, attribute_not_exists, "
                + "attribute_type, begins_with, contains or size"
        case .operandCount(let name, let expected, let found, let at):
            "character \(at): \(name) takes \(expected) operand\(expected == 1 ? "" : "s"), found \(found)"
        case .operandType(let name, let expected, let found, let at):
            "character \(at): \(name) takes \(expected), found \(found)"
        case .sameOperand(let name, let at): "character \(at): the operands of \(name) must differ"
        case .tooManyOperands(let count, let at): "character \(at): IN takes at most 99 values, found \(count)"
        case .redundantParentheses(let at): "character \(at): parentheses twice around the same"
        case .bounds(let at): "character \(at): BETWEEN wants two bounds of one type, the lower one first"
        case .tooDeep(let at): "character \(at): nested too deeply"
        case .tooLong(let bytes): "it has \(bytes) bytes; 4096 is the most"
        case .placeholders(let what, let reason): "\(what): \(reason)"
        case .unused(let names): "no expression uses \(names.joined(separator: ", ")), which DynamoDB refuses"
        }
    }
}
