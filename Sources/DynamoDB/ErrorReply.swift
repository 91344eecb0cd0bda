internal import Foundation

/// What a reply that isn't 200 says, read as leniently as botocore does: proxies and load balancers answer in HTML, XML
/// or nothing.
struct ErrorReply: Equatable, Sendable {
    /// Without namespace: `ResourceNotFoundException`. The HTTP status where the body names none.
    let code: String
    let message: String
    let status: Int

    /// - Parameter secrets: what the request showed, should the reply repeat it.
    init(status: Int, body: [UInt8], hiding secrets: [String] = []) {
        self.status = status
        let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        let type = (object?["__type"] ?? object?["code"]) as? String
        // "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…": cut at the colon first.
        let name = type?.prefix { $0 != ":" }.split(separator: "#").last
        code = name.map(String.init) ?? String(status)
        if let object {
            message = ((object["message"] ?? object["Message"]) as? String ?? "").hiding(secrets)
        } else {
            message = Self.excerpt(of: body, hiding: secrets)
        }
    }

    /// Enough of a body that isn't JSON to see what answered.
    static func excerpt(of body: [UInt8], hiding secrets: [String] = []) -> String {
        // Control characters would reach the operator's terminal. Secrets go before the cut: half of one is one, too.
        let text = String(decoding: body.prefix(65_536).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
            .hiding(secrets)
        let cut = String(decoding: text.utf8.prefix(200), as: UTF8.self)
        let line = cut.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return text.utf8.count > 200 ? line + "…" : line
    }
}

extension String {
    /// Without any of `secrets` that is long enough to be one.
    func hiding(_ secrets: [String]) -> String {
        secrets.filter { $0.utf8.count >= 8 }.reduce(self) { $0.replacing($1, with: "…") }
    }
}
