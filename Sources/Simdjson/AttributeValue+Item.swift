package import StreamModel

extension ItemReader {
    /// The item at `object` as a tree.
    ///
    /// - Throws: as `read`, and for a number that is none of DynamoDB's.
    package mutating func item(
        _ object: ByteRange, of body: [UInt8]
    ) throws(SimdjsonError) -> [[UInt8]: AttributeValue] {
        try read(object, of: body) { tokens, texts throws(SimdjsonError) in
            try AttributeValue.members(of: 0, tokens, texts)
        }
    }

    /// The same of a body that holds an item and nothing else.
    package mutating func item(_ body: [UInt8]) throws(SimdjsonError) -> [[UInt8]: AttributeValue] {
        guard let count = UInt32(exactly: body.count) else { throw .tooLarge(bytes: body.count) }
        return try item(ByteRange(offset: 0, count: count), of: body)
    }
}

extension AttributeValue {
    fileprivate static func members(
        of map: Int, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>
    ) throws(SimdjsonError) -> [[UInt8]: AttributeValue] {
        var members: [[UInt8]: AttributeValue] = [:]
        members.reserveCapacity(tokens[map].children)
        var place = map + 1
        for _ in 0..<tokens[map].children {
            let name = texts.bytes(tokens[place].name)
            members[name] = try AttributeValue(at: place, tokens, texts)
            place += tokens[place].size
        }
        return members
    }

    private init(at place: Int, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>) throws(SimdjsonError) {
        let token = tokens[place]
        switch token.kind {
        case .string: self = .string(texts.bytes(token.text))
        case .number: self = .number(try Self.number(token, texts))
        case .binary: self = .binary(texts.bytes(token.text))
        case .bool: self = .bool(token.isTrue)
        case .null: self = .null
        case .stringSet: self = .stringSet(Self.set(at: place, tokens, texts))
        case .binarySet: self = .binarySet(Self.set(at: place, tokens, texts))
        case .numberSet:
            var numbers: Set<[UInt8]> = []
            for element in place + 1..<place + token.size { numbers.insert(try Self.number(tokens[element], texts)) }
            self = .numberSet(numbers)
        case .list:
            var elements: [AttributeValue] = []
            elements.reserveCapacity(token.children)
            var element = place + 1
            for _ in 0..<token.children {
                elements.append(try AttributeValue(at: element, tokens, texts))
                element += tokens[element].size
            }
            self = .list(elements)
        case .map: self = .map(try Self.members(of: place, tokens, texts))
        }
    }

    private static func set(at place: Int, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>) -> Set<[UInt8]> {
        var elements: Set<[UInt8]> = []
        for element in place + 1..<place + tokens[place].size { elements.insert(texts.bytes(tokens[element].text)) }
        return elements
    }

    private static func number(_ token: ItemToken, _ texts: Span<UInt8>) throws(SimdjsonError) -> [UInt8] {
        let text = texts.bytes(token.text)
        guard let number = CanonicalNumber.make(text) else {
            throw .badValue(
                path: String(decoding: texts.bytes(token.name), as: UTF8.self),
                problem: "has \(String(decoding: text.prefix(100), as: UTF8.self)), which is no number that DynamoDB can hold")
        }
        return number
    }
}

extension Span<UInt8> {
    /// A copy of the bytes at `range`.
    package func bytes(_ range: ByteRange) -> [UInt8] {
        let part = extracting(range.range)
        return unsafe part.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
