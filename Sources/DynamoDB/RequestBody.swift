/// The body of a request, a JSON object written member by member.
struct RequestBody: Sendable {
    private(set) var bytes: [UInt8] = [UInt8(ascii: "{"), UInt8(ascii: "}")]

    init() { bytes.reserveCapacity(512) }

    /// Of an object that is whole already.
    init(whole object: [UInt8]) { bytes = object }

    /// With a string's value escaped as JSON wants it; nothing else is.
    mutating func add(_ name: StaticString, _ value: String) { add(name, Self.quoted(value)) }

    mutating func add(_ name: StaticString, _ value: Int) { add(name, Array(String(value).utf8)) }

    mutating func add(_ name: StaticString, _ value: Bool) { add(name, Array((value ? "true" : "false").utf8)) }

    /// With JSON as it stands.
    mutating func add(_ name: StaticString, _ json: [UInt8]) { add(named: "\(name)", json) }

    /// The same under a name that is known only now.
    mutating func add(named name: String, _ json: [UInt8]) {
        bytes.removeLast()
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += Self.quoted(name)
        bytes.append(UInt8(ascii: ":"))
        bytes += json
        bytes.append(UInt8(ascii: "}"))
    }

    static func quoted(_ text: String) -> [UInt8] {
        var bytes = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                let hex = String(byte, radix: 16)
                bytes += Array("\\u00\(hex.utf8.count == 1 ? "0" : "")\(hex)".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}
