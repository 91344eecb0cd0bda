/// A request to the control interface.
package struct ControlRequest: Sendable {
    package let method: String
    /// Without the query.
    package let path: String
    package let query: [String: Text]
    package let body: [UInt8]

    /// - Parameter uri: as it stands in the request line.
    package init(method: String, uri: String, body: [UInt8]) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        path = parts.first.map(String.init) ?? ""
        var query: [String: Text] = [:]
        for item in parts.count == 2 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(pair[0])] = Self.decoded(pair.count == 2 ? pair[1] : "")
        }
        self.query = query
        self.body = body
    }

    private static func decoded(_ text: Substring) -> Text? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return Text(utf8: bytes)
    }
}
