/// A ProjectionExpression: which parts of an item are wanted.
package struct Projection: Sendable {
    /// What is wanted of a value: all of it, where nothing stands here.
    private struct Node: Sendable {
        /// In order, so that list elements come in theirs.
        var parts: [(element: DocumentPath.Element, node: Node)] = []

        mutating func add(_ path: ArraySlice<DocumentPath.Element>) {
            guard let element = path.first else { return }
            if let last = parts.last, last.element == element {
                parts[parts.count - 1].node.add(path.dropFirst())
            } else {
                var node = Node()
                node.add(path.dropFirst())
                parts.append((element, node))
            }
        }

        /// `nil` where nothing of it is there.
        func part(of value: AttributeValue) -> AttributeValue? {
            guard !parts.isEmpty else { return value }
            switch value {
            case .map(let attributes):
                let result = part(of: attributes)
                return result.isEmpty ? nil : .map(result)
            case .list(let elements):
                let result = parts.compactMap { part in
                    guard case .index(let index) = part.element, index < elements.count else {
                        return AttributeValue?.none
                    }
                    return part.node.part(of: elements[index])
                }
                return result.isEmpty ? nil : .list(result)
            default: return nil
            }
        }

        func part(of attributes: Attributes) -> Attributes {
            var result = Attributes()
            for part in parts {
                guard case .name(let name) = part.element, let value = attributes[name] else { continue }
                if let value = part.node.part(of: value) { result[name] = value }
            }
            return result
        }
    }

    private var root = Node()

    package init(_ text: Text, _ placeholders: inout Placeholders) throws(ServiceError) {
        var reader = try ExpressionReader(text, as: "ProjectionExpression", keywords: [], placeholders)
        var paths = [try reader.path()]
        while reader.take(",") { paths.append(try reader.path()) }
        reader.checkApart(paths)
        try reader.finish()
        placeholders = reader.placeholders
        self.init(of: paths)
    }

    /// For UPDATED_OLD and UPDATED_NEW. No path may be within another.
    package init(of paths: [DocumentPath]) {
        for path in paths.sorted() { root.add(path.elements[...]) }
    }

    package func applied(to item: Attributes) -> Attributes { root.part(of: item) }
}
