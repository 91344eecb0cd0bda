internal import StreamModel

/// Finds members and elements in JSON without reading what they hold: for the few places where something is taken out of bytes
/// that are else passed on as they are.
///
/// `nil` where the bytes are not such JSON; what lies inside a value is stepped over, not checked.
package enum JSONPlaces {
    package struct Member: Hashable, Sendable {
        /// UTF-8, JSON's escapes undone.
        package let name: [UInt8]
        /// From the name's quote to the value's end.
        package let whole: Range<Int>
        package let value: Range<Int>
    }

    package static func members(of object: Range<Int>, in bytes: [UInt8]) -> [Member]? {
        guard var place = begin(object, UInt8(ascii: "{"), bytes) else { return nil }
        var members: [Member] = []
        if isAt(UInt8(ascii: "}"), place, object, bytes) { return members }
        while true {
            let start = place
            guard isAt(UInt8(ascii: "\""), place, object, bytes), let end = endOfString(place, object, bytes),
                let name = unescaped(place + 1..<end - 1, bytes)
            else { return nil }
            place = skipSpace(end, object, bytes)
            guard isAt(UInt8(ascii: ":"), place, object, bytes) else { return nil }
            place = skipSpace(place + 1, object, bytes)
            guard let after = endOfValue(place, object, bytes) else { return nil }
            members.append(Member(name: name, whole: start..<after, value: place..<after))
            place = skipSpace(after, object, bytes)
            if isAt(UInt8(ascii: "}"), place, object, bytes) { return members }
            guard isAt(UInt8(ascii: ","), place, object, bytes) else { return nil }
            place = skipSpace(place + 1, object, bytes)
        }
    }

    package static func elements(of array: Range<Int>, in bytes: [UInt8]) -> [Range<Int>]? {
        guard var place = begin(array, UInt8(ascii: "["), bytes) else { return nil }
        var elements: [Range<Int>] = []
        if isAt(UInt8(ascii: "]"), place, array, bytes) { return elements }
        while true {
            guard let after = endOfValue(place, array, bytes) else { return nil }
            elements.append(place..<after)
            place = skipSpace(after, array, bytes)
            if isAt(UInt8(ascii: "]"), place, array, bytes) { return elements }
            guard isAt(UInt8(ascii: ","), place, array, bytes) else { return nil }
            place = skipSpace(place + 1, array, bytes)
        }
    }

    /// The value of the last member of that name, which is the one that holds.
    package static func value(of name: StaticString, in object: Range<Int>, _ bytes: [UInt8]) -> Range<Int>? {
        let name = Array("\(name)".utf8)
        return members(of: object, in: bytes)?.last { $0.name == name }?.value
    }

    // MARK: -

    private static func begin(_ range: Range<Int>, _ bracket: UInt8, _ bytes: [UInt8]) -> Int? {
        let place = skipSpace(range.lowerBound, range, bytes)
        return isAt(bracket, place, range, bytes) ? skipSpace(place + 1, range, bytes) : nil
    }

    private static func isAt(_ byte: UInt8, _ place: Int, _ range: Range<Int>, _ bytes: [UInt8]) -> Bool {
        place < range.upperBound && bytes[place] == byte
    }

    private static func skipSpace(_ place: Int, _ range: Range<Int>, _ bytes: [UInt8]) -> Int {
        var place = place
        while place < range.upperBound, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        return place
    }

    /// - Parameter place: of the quote that it begins with.
    private static func endOfString(_ place: Int, _ range: Range<Int>, _ bytes: [UInt8]) -> Int? {
        var place = place + 1
        while place < range.upperBound {
            switch bytes[place] {
            case UInt8(ascii: "\""): return place + 1
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        return nil
    }

    private static func endOfValue(_ place: Int, _ range: Range<Int>, _ bytes: [UInt8]) -> Int? {
        guard place < range.upperBound else { return nil }
        switch bytes[place] {
        case UInt8(ascii: "\""): return endOfString(place, range, bytes)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var (place, depth) = (place, 0)
            while place < range.upperBound {
                switch bytes[place] {
                case UInt8(ascii: "\""):
                    guard let end = endOfString(place, range, bytes) else { return nil }
                    place = end
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
                place += 1
                if depth == 0 { return place }
            }
            return nil
        default:
            // A number or a word ends where something else begins.
            let ends: [UInt8] = [0x20, 0x09, 0x0A, 0x0D] + Array(",}]:\"{[".utf8)
            let end = bytes[place..<range.upperBound].firstIndex { ends.contains($0) } ?? range.upperBound
            return end > place ? end : nil
        }
    }

    private static func unescaped(_ range: Range<Int>, _ bytes: [UInt8]) -> [UInt8]? {
        guard bytes[range].contains(UInt8(ascii: "\\")) else { return Array(bytes[range]) }
        var (text, place): ([UInt8], Int) = ([], range.lowerBound)
        while place < range.upperBound {
            guard bytes[place] == UInt8(ascii: "\\") else {
                text.append(bytes[place])
                place += 1
                continue
            }
            guard place + 1 < range.upperBound else { return nil }
            let letter = bytes[place + 1]
            place += 2
            switch letter {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                guard var unit = codeUnit(place, range, bytes) else { return nil }
                place += 4
                if 0xD800..<0xDC00 ~= unit {
                    guard isAt(UInt8(ascii: "\\"), place, range, bytes),
                        isAt(UInt8(ascii: "u"), place + 1, range, bytes),
                        let low = codeUnit(place + 2, range, bytes), 0xDC00..<0xE000 ~= low
                    else { return nil }
                    unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                    place += 6
                }
                guard let scalar = Unicode.Scalar(unit) else { return nil }
                text += Array(String(Character(scalar)).utf8)
            default: text.append(letter)
            }
        }
        return text
    }

    private static func codeUnit(_ place: Int, _ range: Range<Int>, _ bytes: [UInt8]) -> UInt32? {
        guard place + 4 <= range.upperBound else { return nil }
        return UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
    }
}
