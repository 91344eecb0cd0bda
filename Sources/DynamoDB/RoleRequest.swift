/// What STS is asked to give credentials of: a role, and how the session is to be named.
///
/// Source: STS API Reference, `AssumeRole` and `AssumeRoleWithWebIdentity`.
struct RoleRequest: Hashable, Sendable {
    static let operation = "AssumeRole"
    static let webIdentityOperation = "AssumeRoleWithWebIdentity"

    let role: String
    let externalID: String?
    let sessionName: String
    let seconds: Int?

    /// - Throws: `.configuration` for a role that is no ARN of one, a name or a duration that STS doesn't take.
    init(
        _ role: String, externalID: String? = nil, sessionName: String? = nil, seconds: String? = nil
    ) throws(DynamoDBError) {
        guard role.hasPrefix("arn:"), role.split(separator: ":", omittingEmptySubsequences: false).count == 6,
            role.contains(":role/")
        else {
            throw .configuration(
                "'\(role)' is no role: give its ARN, such as arn:aws:iam::123456789012:role/shake")
        }
        let name = sessionName ?? "shake"
        guard (2...64).contains(name.utf8.count), name.utf8.allSatisfy(\.isNameByte) else {
            throw .configuration(
                "'\(name)' can't name a role's session: 2 to 64 letters, digits and any of _+=,.@- can")
        }
        if let seconds {
            guard let number = Int(seconds), (900...43_200).contains(number) else {
                throw .configuration("duration_seconds of \(role) is '\(seconds)': it must be from 900 to 43200")
            }
            self.seconds = number
        } else {
            self.seconds = nil
        }
        self.role = role
        self.externalID = externalID
        self.sessionName = name
    }

    /// The body of the request, as a form.
    ///
    /// - Parameter token: of a web identity, which stands for a signature.
    func form(token: String? = nil) -> [UInt8] {
        var fields = [
            ("Action", token == nil ? Self.operation : Self.webIdentityOperation), ("Version", "2011-06-15"),
            ("RoleArn", role), ("RoleSessionName", sessionName),
        ]
        if let externalID { fields.append(("ExternalId", externalID)) }
        if let seconds { fields.append(("DurationSeconds", "\(seconds)")) }
        if let token { fields.append(("WebIdentityToken", token)) }
        var body: [UInt8] = []
        for (index, (name, value)) in fields.enumerated() {
            body += "\(index == 0 ? "" : "&")\(name)=".utf8
            body.append(escaped: value)
        }
        return body
    }
}

extension UInt8 {
    /// Of a role's or a session's name.
    var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "="),
            UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "@"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension [UInt8] {
    /// Percent-encoded, save what stands for itself in any URL (RFC 3986, 2.3).
    fileprivate mutating func append(escaped text: String) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                append(byte)
            default: self += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
