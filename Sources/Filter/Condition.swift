/// What a filter asks of an item.
indirect enum Condition: Hashable, Sendable {
    enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    indirect enum Operand: Hashable, Sendable {
        case path(DocumentPath)
        case constant(Value)
        case size(Operand)

        /// `nil` for what is not there.
        func value(in item: JSONView) -> Value? {
            switch self {
            case .path(let path): path.find(in: item).flatMap { Value($0) }
            case .constant(let value): value
            case .size(let operand): operand.value(in: item)?.size
            }
        }
    }

    case all([Condition])
    case any([Condition])
    case not(Condition)
    case compare(Operand, Comparison, Operand)
    case between(Operand, low: Operand, high: Operand)
    case among(Operand, [Operand])
    case exists(DocumentPath)
    case hasType(Operand, Value.Kind)
    case beginsWith(Operand, Operand)
    case contains(Operand, Operand)

    func holds(for item: JSONView) -> Bool {
        switch self {
        case .all(let conditions): return conditions.allSatisfy { $0.holds(for: item) }
        case .any(let conditions): return conditions.contains { $0.holds(for: item) }
        case .not(let condition): return !condition.holds(for: item)
        case .compare(let left, let comparison, let right):
            return Self.compare(left.value(in: item), comparison, right.value(in: item))
        case .between(let operand, let low, let high):
            let value = operand.value(in: item)
            return Self.compare(value, .greaterOrEqual, low.value(in: item))
                && Self.compare(value, .lessOrEqual, high.value(in: item))
        case .among(let operand, let others):
            guard let value = operand.value(in: item) else { return false }
            return others.contains { $0.value(in: item) == value }
        case .exists(let path): return path.find(in: item) != nil
        case .hasType(let operand, let kind): return operand.value(in: item)?.kind == kind
        case .beginsWith(let operand, let start):
            guard let value = operand.value(in: item), let start = start.value(in: item) else { return false }
            return value.begins(with: start)
        case .contains(let operand, let part):
            guard let value = operand.value(in: item), let part = part.value(in: item) else { return false }
            return value.contains(part)
        }
    }

    /// What is missing equals nothing, not even what is missing too, and has no order.
    private static func compare(_ left: Value?, _ comparison: Comparison, _ right: Value?) -> Bool {
        guard let left, let right else { return comparison == .notEqual }
        return switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left.precedes(right) ?? false
        case .lessOrEqual: right.precedes(left).map(!) ?? false
        case .greater: right.precedes(left) ?? false
        case .greaterOrEqual: left.precedes(right).map(!) ?? false
        }
    }
}
