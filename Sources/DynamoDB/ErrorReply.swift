internal import Foundation

/// What a reply that isn't 200 says, read as leniently as botocore does: proxies and load balancers answer in HTML, XML
/// or nothing.
struct ErrorReply: Equatable, Sendable {
    /// Without namespace: `ResourceNotFoundException`. The HTTP status where the body names none.
    let code: String
    let message: String
    let status: Int

    init(status: Int, body: [UInt8]) {
        self.status = status
        let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        let type = (object?["__type"] ?? object?["code"]) as? String
        // "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…": cut at the colon first.
        let name = type?.prefix { $0 != ":" }.split(separator: "#").last
        code = name.map(String.init) ?? String(status)
        if let object {
            message = (object["message"] ?? object["Message"]) as? String ?? ""
        } else {
            message = Self.excerpt(of: body)
        }
    }

    /// Enough of a body that isn't JSON to see what answered.
    static func excerpt(of body: [UInt8]) -> String {
        // Control characters would reach the operator's terminal.
        let text = String(decoding: body.prefix(200).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
        let line = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return body.count > 200 ? line + "…" : line
    }
}
