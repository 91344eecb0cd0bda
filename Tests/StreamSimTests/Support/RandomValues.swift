import TestSupport

@testable import StreamSim

/// Values by chance, small and with a taste for edges.
struct RandomValues {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func text() -> Text {
        let scalars: [Unicode.Scalar] = [
            "a", "b", "Z", "0", " ", "\"", "\\", "/", "\u{0}", "\u{1F}", "\n", "\t", "\u{7F}", "é", "\u{301}",
            "\u{7FF}",
            "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "😀", "\u{10FFFF}",
        ]
        var string = ""
        for _ in 0..<below(6) { string.unicodeScalars.append(pick(scalars)) }
        return Text(string)
    }

    mutating func json(depth: Int = 0) -> JSON {
        switch below(depth > 4 ? 4 : 6) {
        case 0: return pick([.null, .bool(true), .bool(false)])
        case 1: return .number(pick(["0", "-0", "12", "-1.50", "1e5", "0.1E-7", "123456789012345678901234567890"]))
        case 2, 3: return .string(text())
        case 4: return .array((0..<below(5)).map { _ in json(depth: depth + 1) })
        default:
            var members: [JSON.Member] = []
            for _ in 0..<pick([0, 1, 2, 3, 30]) {
                let name = text()
                if !members.contains(where: { $0.name == name }) {
                    members.append(JSON.Member(name, json(depth: depth + 1)))
                }
            }
            return .object(members)
        }
    }

    mutating func number() -> DynamoNumber {
        let digits = (0..<pick([1, 1, 2, 5, 20, 38])).map { _ in "\(below(10))" }.joined()
        let exponent = below(4) == 0 ? below(200) - 120 : 0
        return DynamoNumber(Text("\(below(2) == 0 ? "-" : "")\(digits)e\(exponent)")) ?? DynamoNumber(7)
    }

    mutating func bytes() -> [UInt8] { (0..<below(8)).map { _ in UInt8(below(256)) } }

    mutating func value(depth: Int = 0) -> AttributeValue {
        switch below(depth > 3 ? 8 : 10) {
        case 0: return .string(text())
        case 1: return .number(number())
        case 2: return .binary(bytes())
        case 3: return .bool(below(2) == 0)
        case 4: return .null
        case 5: return .set((0...below(4)).map { _ in text() })
        case 6: return .set((0...below(4)).map { _ in number() })
        case 7: return .set((0...below(4)).map { _ in bytes() })
        case 8: return .list((0..<below(4)).map { _ in value(depth: depth + 1) })
        default: return .map(attributes(depth: depth + 1))
        }
    }

    mutating func attributes(depth: Int = 0) -> Attributes {
        var result = Attributes()
        for _ in 0..<below(6) {
            let name = text()
            if !name.isEmpty { result[name] = value(depth: depth) }
        }
        return result
    }
}
