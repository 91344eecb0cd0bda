internal import StreamModel

/// What STS answers, in XML. Source: STS API Reference.
enum TokenServiceReply {
    /// - Returns: `nil` where there are none in it.
    static func credentials(in xml: [UInt8]) -> Credentials? {
        guard let key = element("AccessKeyId", in: xml), let secret = element("SecretAccessKey", in: xml),
            let token = element("SessionToken", in: xml)
        else { return nil }
        return Credentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: token,
            expiration: element("Expiration", in: xml).flatMap { Timestamp($0) })
    }

    /// The text of the first element of that name. What STS answers has no attributes and none of them nested in itself.
    static func element(_ name: String, in xml: [UInt8]) -> String? {
        guard let start = xml.firstRange(of: Array("<\(name)>".utf8))?.upperBound,
            let end = xml[start...].firstRange(of: Array("</\(name)>".utf8))?.lowerBound
        else { return nil }
        return [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
            .reduce(String(decoding: xml[start..<end], as: UTF8.self)) { $0.replacing($1.0, with: $1.1) }
    }
}
