/// Where in an item: `a.b[0].#c`, its names resolved.
package struct DocumentPath: Hashable, Sendable {
    package enum Element: Hashable, Sendable {
        case name(Text)
        case index(Int)
    }

    /// A name, and what follows.
    package internal(set) var elements: [Element]
    /// Of the attribute of the item.
    package let head: Text

    package init(_ head: Text) {
        self.head = head
        elements = [.name(head)]
    }

    enum Relation { case apart, overlap, conflict }

    func relation(to other: DocumentPath) -> Relation {
        for (one, another) in zip(elements, other.elements) where one != another {
            switch (one, another) {
            case (.name, .name), (.index, .index): return .apart
            case (.name, .index), (.index, .name): return .conflict
            }
        }
        return .overlap
    }
}

extension DocumentPath: Comparable {
    /// List elements in their order.
    package static func < (left: DocumentPath, right: DocumentPath) -> Bool {
        left.elements.lexicographicallyPrecedes(right.elements)
    }
}

extension DocumentPath.Element: Comparable {
    package static func < (left: DocumentPath.Element, right: DocumentPath.Element) -> Bool {
        switch (left, right) {
        case (.name(let one), .name(let other)): one < other
        case (.index(let one), .index(let other)): one < other
        case (.name, .index): true
        case (.index, .name): false
        }
    }
}

extension DocumentPath: CustomStringConvertible {
    /// As the service's messages have it: `[a, b, [0]]`.
    package var description: String {
        let parts = elements.map { element in
            switch element {
            case .name(let name): name.string
            case .index(let index): "[\(index)]"
            }
        }
        return "[" + parts.joined(separator: ", ") + "]"
    }
}

extension Attributes {
    func value(at path: DocumentPath) -> AttributeValue? {
        guard var value = self[path.head] else { return nil }
        for element in path.elements.dropFirst() {
            switch (value, element) {
            case (.map(let attributes), .name(let name)):
                guard let next = attributes[name] else { return nil }
                value = next
            case (.list(let elements), .index(let index)):
                guard index < elements.count else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// Whether there is a map or a list that the last element could be in.
    func hasPlace(for path: DocumentPath) -> Bool {
        guard path.elements.count > 1 else { return true }
        var parent = path
        let last = parent.elements.removeLast()
        switch (last, value(at: parent)) {
        case (.name, .map), (.index, .list): return true
        default: return false
        }
    }

    /// Sets, or with `nil` removes, what stands there. A list takes an index beyond its end for its end.
    ///
    /// There must be a place for it.
    mutating func put(_ value: AttributeValue?, at path: DocumentPath) {
        guard path.elements.count > 1 else {
            self[path.head] = value
            return
        }
        self[path.head] = self[path.head]?.putting(value, at: path.elements.dropFirst())
    }
}

extension AttributeValue {
    fileprivate func putting(
        _ value: AttributeValue?, at path: ArraySlice<DocumentPath.Element>
    ) -> AttributeValue {
        let rest = path.dropFirst()
        switch (self, path.first) {
        case (.map(var attributes), .name(let name)?):
            attributes[name] = rest.isEmpty ? value : attributes[name]?.putting(value, at: rest)
            return .map(attributes)
        case (.list(var elements), .index(let index)?):
            if index >= elements.count {
                if rest.isEmpty, let value { elements.append(value) }
            } else if !rest.isEmpty {
                elements[index] = elements[index].putting(value, at: rest)
            } else if let value {
                elements[index] = value
            } else {
                elements.remove(at: index)
            }
            return .list(elements)
        default: return self
        }
    }
}
