/// As much of JSON as the simulated calls need: they are flat objects of strings and numbers, written by our own client.
enum JSONText {
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The text of the first member of that name: a string without its quotes, or a number.
    static func member(_ name: String, of json: some StringProtocol) -> String? {
        guard let start = json.firstRange(of: "\"\(name)\":")?.upperBound, start < json.endIndex else { return nil }
        guard json[start] == "\"" else { return String(json[start...].prefix { $0.isNumber }) }
        let first = json.index(after: start)
        return json[first...].firstIndex(of: "\"").map { String(json[first..<$0]) }
    }
}
