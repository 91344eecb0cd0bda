/// How text is written that may hold U+0000, which no text and no jsonb of PostgreSQL can.
///
/// U+001A (SUBSTITUTE) escapes: U+0000 is written as U+001A `0`, and U+001A itself as U+001A `1`. So nothing is lost, nothing is
/// taken for something else, and any text with neither of the two, as good as all, stands as it is.
enum ItemText {
    private static let escape: UInt8 = 0x1A
    private static let backslash = UInt8(ascii: "\\")

    /// A key's text, in UTF-8.
    static func escaped(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { $0 == 0 || $0 == escape }) else { return text }
        return text.flatMap { byte -> [UInt8] in
            switch byte {
            case 0: [escape, UInt8(ascii: "0")]
            case escape: [escape, UInt8(ascii: "1")]
            default: [byte]
            }
        }
    }

    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(escape) else { return text }
        var original: [UInt8] = []
        var place = 0
        while place < text.count {
            if text[place] == escape, place + 1 < text.count {
                place += 1
                original.append(text[place] == UInt8(ascii: "0") ? 0 : escape)
            } else {
                original.append(text[place])
            }
            place += 1
        }
        return original
    }

    /// An item's JSON, in whose strings the two stand as `\u0000` and `\u001a` only: JSON escapes what is below U+0020.
    ///
    /// `nil` where it may stand as it is.
    static func escaped(json: ArraySlice<UInt8>) -> [UInt8]? {
        guard json.contains(backslash) else { return nil }
        return rewritten(json) { code in
            switch code {
            case 0: Array("\\u001a0".utf8)
            case UInt32(escape): Array("\\u001a1".utf8)
            default: nil
            }
        }
    }

    /// What jsonb gives back, as it was written.
    static func unescaped(json: [UInt8]) -> [UInt8] {
        guard json.contains(backslash) else { return json }
        var isEscaping = false
        var original: [UInt8] = []
        original.reserveCapacity(json.count)
        var place = 0
        while place < json.count {
            if isEscaping {
                original += Array((json[place] == UInt8(ascii: "0") ? "\\u0000" : "\\u001a").utf8)
                isEscaping = false
                place += 1
            } else if json[place] == backslash, place + 1 < json.count {
                if json[place + 1] == UInt8(ascii: "u"), code(json[...], at: place + 2) == UInt32(escape) {
                    isEscaping = true
                    place += 6
                } else {
                    original += json[place...place + 1]
                    place += 2
                }
            } else {
                original.append(json[place])
                place += 1
            }
        }
        return original
    }

    /// - Parameter change: what an escaped character is written as instead; `nil`: as it is.
    private static func rewritten(_ json: ArraySlice<UInt8>, _ change: (UInt32) -> [UInt8]?) -> [UInt8]? {
        var written: [UInt8] = []
        var start = json.startIndex
        var place = json.startIndex
        while let next = json[place...].firstIndex(of: backslash), next + 1 < json.endIndex {
            place = next + 2
            guard json[next + 1] == UInt8(ascii: "u"), let code = code(json, at: next + 2),
                let other = change(code)
            else { continue }
            written += json[start..<next] + other
            place = next + 6
            start = place
        }
        guard start > json.startIndex else { return nil }
        return written + json[start...]
    }

    /// Four hexadecimal digits.
    private static func code(_ json: ArraySlice<UInt8>, at place: Int) -> UInt32? {
        guard place + 4 <= json.endIndex else { return nil }
        var code: UInt32 = 0
        for byte in json[place..<place + 4] {
            let digit: UInt8? =
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
                default: nil
                }
            guard let digit else { return nil }
            code = code << 4 | UInt32(digit)
        }
        return code
    }
}
