/// What is done to bytes in many places.
enum UTF8Bytes {
    static func areValid(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return true
        } catch {
            return false
        }
    }

    /// As unsigned bytes, the shorter one first: DynamoDB's order of strings and of binary values.
    static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let common = min(left.count, right.count)
        var index = 0
        while index < common {
            let (one, other) = (left[index], right[index])
            if one != other { return one < other }
            index += 1
        }
        return left.count < right.count
    }

    /// Eight bytes at a time: the hash of an array of bytes takes them one by one.
    static func hash(_ bytes: [UInt8], into hasher: inout Hasher) {
        hasher.combine(bytes.count)
        var word: UInt64 = 0
        var taken = 0
        for byte in bytes {
            word = word << 8 | UInt64(byte)
            taken += 1
            if taken == 8 {
                hasher.combine(word)
                (word, taken) = (0, 0)
            }
        }
        if taken > 0 { hasher.combine(word) }
    }

    /// Where `part` first begins in `whole`.
    static func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= whole.count else { return false }
        for start in 0...(whole.count - part.count) where whole[start] == first {
            if whole[start..<(start + part.count)].elementsEqual(part) { return true }
        }
        return false
    }
}
