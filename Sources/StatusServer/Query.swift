/// The part of a URL behind the question mark. Source: WHATWG URL, "application/x-www-form-urlencoded parsing".
struct Query: Hashable, Sendable {
    private var pairs: [(name: String, value: String)] = []

    static func == (a: Query, b: Query) -> Bool {
        a.pairs.elementsEqual(b.pairs) { $0.name == $1.name && $0.value == $1.value }
    }

    func hash(into hasher: inout Hasher) {
        for (name, value) in pairs {
            hasher.combine(name)
            hasher.combine(value)
        }
    }

    /// - Throws: 400.
    init(_ text: String?) throws(RequestRefusal) {
        for part in (text ?? "").split(separator: "&") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append(
                (
                    try Self.decoded(halves[0], isQuery: true),
                    try halves.count == 2 ? Self.decoded(halves[1], isQuery: true) : ""
                )
            )
        }
    }

    /// - Throws: 400 where it is said twice.
    func one(_ name: String) throws(RequestRefusal) -> String? {
        let values = all(name)
        guard values.count < 2 else { throw RequestRefusal(400, "\(name) is said \(values.count) times: say it once") }
        return values.first
    }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// - Throws: 400 for a name that is none of these.
    func checkNames(_ names: [String]) throws(RequestRefusal) {
        guard let unknown = pairs.first(where: { !names.contains($0.name) }) else { return }
        throw RequestRefusal(
            400,
            "'\(unknown.name)' is nothing that can be asked for here: "
                + (names.isEmpty ? "it takes no query" : "it knows \(names.joined(separator: ", "))"))
    }

    /// - Parameter isQuery: where a plus sign stands for a space.
    /// - Throws: 400 for what is not percent-encoded UTF-8.
    static func decoded(_ text: some StringProtocol, isQuery: Bool) throws(RequestRefusal) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw RequestRefusal(
                        400, "a percent sign must be followed by two hexadecimal digits (%25 stands for itself)")
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where isQuery: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw RequestRefusal(400, "what is percent-encoded must be UTF-8")
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
