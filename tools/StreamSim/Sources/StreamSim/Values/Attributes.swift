/// The attributes of an item or of a map, by name.
///
/// In the order of the names' bytes, so that equal items are equal bytes.
package struct Attributes: Hashable, Sendable {
    fileprivate struct Entry: Hashable, Sendable {
        let name: Text
        var value: AttributeValue
    }

    /// By name, each once.
    private var entries: [Entry] = []

    package init() {}

    /// From the wire form: `{"name": {"S": "…"}}`.
    ///
    /// - Throws: as `AttributeValue.init`.
    package init(_ json: JSON) throws(ServiceError) { try self.init(json, depth: 0) }

    /// `depth`: of lists and maps, counting this one unless it is an item.
    init(_ json: JSON, depth: Int) throws(ServiceError) {
        guard case .object(let members) = json else { throw .serialization("Unexpected field type") }
        entries.reserveCapacity(members.count)
        var isInOrder = true
        for member in members {
            guard !member.name.isEmpty else {
                throw .invalid("An attribute name must not be empty")
            }
            guard member.name.bytes.count < 65536 else {
                throw .invalid("Attribute name is too large, must be less than 65536 bytes")
            }
            if let last = entries.last, !(last.name < member.name) { isInOrder = false }
            entries.append(Entry(name: member.name, value: try AttributeValue(member.value, depth: depth)))
        }
        if !isInOrder {
            entries.sort { $0.name < $1.name }
            for (entry, next) in zip(entries, entries.dropFirst()) where entry.name == next.name {
                throw .serialization("The attribute \(entry.name) stands twice in one object")
            }
        }
    }

    package subscript(_ name: Text) -> AttributeValue? {
        get {
            let place = place(of: name)
            return place.exists ? entries[place.index].value : nil
        }
        set {
            let place = place(of: name)
            switch (newValue, place.exists) {
            case (let value?, true): entries[place.index].value = value
            case (let value?, false): entries.insert(Entry(name: name, value: value), at: place.index)
            case (nil, true): entries.remove(at: place.index)
            case (nil, false): break
            }
        }
    }

    /// Where the name stands, or would stand.
    private func place(of name: Text) -> (index: Int, exists: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].name == name)
    }

    package var names: [Text] { entries.map(\.name) }
    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Bytes that DynamoDB counts: names and values. At most 409 600 of an item.
    package var size: Int { entries.reduce(0) { $0 + $1.name.bytes.count + $1.value.size } }

    /// Lists and maps in one another below this.
    var depth: Int { entries.lazy.map(\.value.depth).max() ?? 0 }

    package func write(into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for entry in entries {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSON.write(entry.name, into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            entry.value.write(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }
}

extension Attributes: Sequence {
    package struct Iterator: IteratorProtocol {
        fileprivate var entries: IndexingIterator<[Entry]>

        package mutating func next() -> (name: Text, value: AttributeValue)? {
            entries.next().map { ($0.name, $0.value) }
        }
    }

    package func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }
    package var underestimatedCount: Int { entries.count }
}

extension Attributes: ExpressibleByDictionaryLiteral {
    /// Of a name that stands twice, the last one counts.
    package init(dictionaryLiteral elements: (Text, AttributeValue)...) {
        for (name, value) in elements { self[name] = value }
    }
}
