/// An UpdateExpression: SET, REMOVE, ADD and DELETE.
package struct UpdateExpression: Sendable {
    indirect enum Value: Sendable {
        case path(DocumentPath)
        case constant(AttributeValue)
        case ifNotExists(DocumentPath, Value)
        case listAppend(Value, Value)
        case plus(Value, Value)
        case minus(Value, Value)
    }

    enum Change: Sendable {
        case set(Value)
        case remove
        /// A number, or a set.
        case add(AttributeValue)
        /// A set.
        case delete(AttributeValue)
    }

    private let changes: [(path: DocumentPath, change: Change)]

    package init(_ text: Text, _ placeholders: inout Placeholders) throws(ServiceError) {
        var parser = try UpdateParser(text, placeholders)
        changes = try parser.changes()
        placeholders = parser.placeholders
    }

    /// What it writes to, in the order of the text.
    package var paths: [DocumentPath] { changes.map(\.path) }

    /// The attributes of the item that it writes to, or into.
    package var touched: Set<Text> { Set(changes.lazy.map(\.path.head)) }

    /// All of it sees the item as it was before: values, and the indices of lists.
    ///
    /// `isNew`: there was no item, and this one is only a key. Then REMOVE takes any path, for no reason that is known
    /// (observed, says Alternator's test suite).
    ///
    /// - Throws: `ValidationException` where the item does not fit; then nothing happens.
    package func applied(to item: Attributes, isNew: Bool = false) throws(ServiceError) -> Attributes {
        var set: [(path: DocumentPath, value: AttributeValue)] = []
        var removed: [DocumentPath] = []
        for (path, change) in changes {
            let result: AttributeValue?
            switch change {
            case .set(let value): result = try value.value(in: item)
            case .remove:
                if isNew { continue }
                result = nil
            case .add(let value):
                if let old = item.value(at: path) { result = try old.adding(value) } else { result = value }
            case .delete(let value): result = try item.value(at: path)?.deleting(value)
            }
            guard item.hasPlace(for: path) else {
                throw .validation("The document path provided in the update expression is invalid for update")
            }
            if let result {
                try AttributeValue.checkDepth(path.elements.count - 1 + result.depth)
                set.append((path, result))
            } else if item.value(at: path) != nil {
                removed.append(path)
            }
        }
        // What a list gets beyond its end comes in the order of the indices. Elements go last and from behind, so that
        // no index means another element than before.
        var item = item
        for (path, value) in set.sorted(by: { $0.path < $1.path }) { item.put(value, at: path) }
        for path in removed.sorted(by: >) { item.put(nil, at: path) }
        return item
    }
}

extension UpdateExpression.Value {
    fileprivate func value(in item: Attributes) throws(ServiceError) -> AttributeValue {
        switch self {
        case .constant(let value): return value
        case .path(let path):
            guard let value = item.value(at: path) else {
                throw .validation(
                    "The provided expression refers to an attribute that does not exist in the item")
            }
            return value
        case .ifNotExists(let path, let other):
            if let value = item.value(at: path) { return value }
            return try other.value(in: item)
        case .listAppend(let first, let second):
            guard case (.list(let first), .list(let second)) = (try first.value(in: item), try second.value(in: item))
            else { throw .operandType }
            return .list(first + second)
        case .plus(let left, let right):
            let (left, right) = try Self.numbers(left, right, in: item)
            return .number(try left.adding(right))
        case .minus(let left, let right):
            let (left, right) = try Self.numbers(left, right, in: item)
            return .number(try left.subtracting(right))
        }
    }

    private static func numbers(
        _ left: Self, _ right: Self, in item: Attributes
    ) throws(ServiceError) -> (DynamoNumber, DynamoNumber) {
        guard case (.number(let left), .number(let right)) = (try left.value(in: item), try right.value(in: item))
        else { throw .operandType }
        return (left, right)
    }
}

extension AttributeValue {
    fileprivate func adding(_ other: AttributeValue) throws(ServiceError) -> AttributeValue {
        switch (self, other) {
        case (.number(let one), .number(let other)): .number(try one.adding(other))
        case (.stringSet(let one), .stringSet(let other)): .set(one + other)
        case (.numberSet(let one), .numberSet(let other)): .set(one + other)
        case (.binarySet(let one), .binarySet(let other)): .set(one + other)
        default: throw .operandType
        }
    }

    /// `nil` where nothing is left: there is no empty set.
    fileprivate func deleting(_ other: AttributeValue) throws(ServiceError) -> AttributeValue? {
        switch (self, other) {
        case (.stringSet(let one), .stringSet(let other)): Self.rest(one, other).map(AttributeValue.stringSet)
        case (.numberSet(let one), .numberSet(let other)): Self.rest(one, other).map(AttributeValue.numberSet)
        case (.binarySet(let one), .binarySet(let other)): Self.rest(one, other).map(AttributeValue.binarySet)
        default: throw .operandType
        }
    }

    private static func rest<Element: Hashable>(_ elements: [Element], _ others: [Element]) -> [Element]? {
        let others = Set(others)
        let rest = elements.filter { !others.contains($0) }
        return rest.isEmpty ? nil : rest
    }
}

extension ServiceError {
    fileprivate static var operandType: ServiceError {
        .validation("An operand in the update expression has an incorrect data type")
    }
}
