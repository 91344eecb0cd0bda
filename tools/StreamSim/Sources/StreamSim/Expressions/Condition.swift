/// A ConditionExpression or a FilterExpression.
package struct Condition: Sendable {
    enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

    indirect enum Operand: Sendable {
        case path(DocumentPath)
        case constant(AttributeValue)
        case size(Operand)
    }

    indirect enum Node: Sendable {
        case and([Node])
        case or([Node])
        case not(Node)
        case compare(Comparison, Operand, Operand)
        case between(Operand, low: Operand, high: Operand)
        case isIn(Operand, [Operand])
        case exists(DocumentPath)
        case notExists(DocumentPath)
        case hasType(Operand, AttributeValue.Kind)
        case beginsWith(Operand, Operand)
        case contains(Operand, Operand)
    }

    private let root: Node

    /// `parameter`: as the API names it, for messages.
    package init(
        _ text: Text, _ placeholders: inout Placeholders, as parameter: String = "ConditionExpression"
    ) throws(ServiceError) {
        var parser = try ConditionParser(text, as: parameter, placeholders)
        root = try parser.condition()
        placeholders = parser.placeholders
    }

    /// Of a missing item: for one without attributes.
    ///
    /// What does not fit the item makes it false and throws nothing today: all that can be refused is in the text.
    package func holds(for item: Attributes) throws(ServiceError) -> Bool { root.holds(for: item) }
}

extension Condition.Operand {
    /// `nil` for what is not there.
    fileprivate func value(in item: Attributes) -> AttributeValue? {
        switch self {
        case .path(let path): return item.value(at: path)
        case .constant(let value): return value
        case .size(let operand):
            switch operand.value(in: item) {
            case .string(let text): return AttributeValue(Int64(text.bytes.count))
            case .binary(let bytes): return AttributeValue(Int64(bytes.count))
            case .stringSet(let texts): return AttributeValue(Int64(texts.count))
            case .numberSet(let numbers): return AttributeValue(Int64(numbers.count))
            case .binarySet(let values): return AttributeValue(Int64(values.count))
            case .list(let elements): return AttributeValue(Int64(elements.count))
            case .map(let attributes): return AttributeValue(Int64(attributes.count))
            case .number, .bool, .null, nil: return nil
            }
        }
    }
}

extension Condition.Node {
    fileprivate func holds(for item: Attributes) -> Bool {
        switch self {
        case .and(let nodes): return nodes.allSatisfy { $0.holds(for: item) }
        case .or(let nodes): return nodes.contains { $0.holds(for: item) }
        case .not(let node): return !node.holds(for: item)
        case .compare(let comparison, let left, let right):
            return Self.compare(left.value(in: item), comparison, right.value(in: item))
        case .between(let operand, let low, let high):
            let value = operand.value(in: item)
            return Self.compare(value, .greaterOrEqual, low.value(in: item))
                && Self.compare(value, .lessOrEqual, high.value(in: item))
        case .isIn(let operand, let others):
            guard let value = operand.value(in: item) else { return false }
            return others.contains { $0.value(in: item) == value }
        case .exists(let path): return item.value(at: path) != nil
        case .notExists(let path): return item.value(at: path) == nil
        case .hasType(let operand, let kind): return operand.value(in: item)?.kind == kind
        case .beginsWith(let operand, let start):
            switch (operand.value(in: item), start.value(in: item)) {
            case (.string(let text), .string(let start)): return text.bytes.starts(with: start.bytes)
            case (.binary(let bytes), .binary(let start)): return bytes.starts(with: start)
            default: return false
            }
        case .contains(let operand, let part):
            switch (operand.value(in: item), part.value(in: item)) {
            case (.string(let text), .string(let part)): return UTF8Bytes.contains(text.bytes, part.bytes)
            case (.binary(let bytes), .binary(let part)): return UTF8Bytes.contains(bytes, part)
            case (.stringSet(let texts), .string(let text)): return texts.contains(text)
            case (.numberSet(let numbers), .number(let number)): return numbers.contains(number)
            case (.binarySet(let values), .binary(let value)): return values.contains(value)
            case (.list(let elements), let part?): return elements.contains(part)
            default: return false
            }
        }
    }

    /// What is missing equals nothing, not even what is missing too, and has no order.
    fileprivate static func compare(
        _ left: AttributeValue?, _ comparison: Condition.Comparison, _ right: AttributeValue?
    ) -> Bool {
        guard let left, let right else { return comparison == .notEqual }
        switch comparison {
        case .equal: return left == right
        case .notEqual: return left != right
        case .less: return precedes(left, right) ?? false
        case .greater: return precedes(right, left) ?? false
        case .lessOrEqual: return precedes(right, left).map(!) ?? false
        case .greaterOrEqual: return precedes(left, right).map(!) ?? false
        }
    }

    /// `nil` where the two have no order: values of two types, or of one without.
    static func precedes(_ left: AttributeValue, _ right: AttributeValue) -> Bool? {
        switch (left, right) {
        case (.string(let left), .string(let right)): left < right
        case (.number(let left), .number(let right)): left < right
        case (.binary(let left), .binary(let right)): UTF8Bytes.precedes(left, right)
        default: nil
        }
    }
}
