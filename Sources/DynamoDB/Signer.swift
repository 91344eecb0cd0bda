internal import Crypto
internal import StreamModel
internal import Synchronization

/// Signs requests (Signature Version 4). Source: IAM User Guide, "Create a signed AWS API request".
///
/// Only headers that nothing changes on the way are signed, and all of them are sent as given here.
final class Signer: Sendable {
    private let region: String
    private let service: String
    /// The last key made. It holds for a day and costs four HMACs.
    private let cached = Mutex<(day: String, credentials: Credentials, key: SymmetricKey)?>(nil)

    init(region: String, service: String = "dynamodb") {
        self.region = region
        self.service = service
    }

    /// What signing adds to the headers.
    struct Signature: Equatable, Sendable {
        let date: String
        let token: String?
        let authorization: String
    }

    /// Signs a POST to `/`.
    ///
    /// - Parameters:
    ///   - headers: to be signed and sent, `host` among them; names in lower case.
    ///   - time: the service refuses one that is 5 minutes off.
    func sign(
        headers: [(name: String, value: String)], body: [UInt8], with credentials: Credentials, at time: Timestamp
    ) -> Signature {
        let date = time.compact
        let day = String(decoding: date.utf8.prefix(8), as: UTF8.self)
        var signed = headers + [("x-amz-date", date)]
        if let token = credentials.sessionToken { signed.append(("x-amz-security-token", token)) }
        signed.sort { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        var canonical = Array("POST\n/\n\n".utf8)
        canonical.reserveCapacity(1024)
        for (name, value) in signed {
            canonical += name.utf8
            canonical.append(UInt8(ascii: ":"))
            canonical.append(collapsed: value)
            canonical.append(UInt8(ascii: "\n"))
        }
        canonical += "\n\(names)\n".utf8
        canonical.append(hex: SHA256.hash(data: body))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        var text = Array("AWS4-HMAC-SHA256\n\(date)\n\(scope)\n".utf8)
        text.append(hex: SHA256.hash(data: canonical))
        var authorization = Array(
            """
            AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=
            """.utf8)
        authorization.append(hex: HMAC<SHA256>.authenticationCode(for: text, using: key(day, credentials)))
        return Signature(
            date: date, token: credentials.sessionToken, authorization: String(decoding: authorization, as: UTF8.self))
    }

    private func key(_ day: String, _ credentials: Credentials) -> SymmetricKey {
        if let cached = cached.withLock({ $0 }), cached.day == day, cached.credentials == credentials {
            return cached.key
        }
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for step in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(step.utf8), using: key))
        }
        cached.withLock { $0 = (day, credentials, key) }
        return key
    }
}

extension Timestamp {
    /// `20150830T123600Z`, in UTC whatever the locale's calendar.
    fileprivate var compact: String {
        let digits = description.utf8.prefix(19).filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }
        return String(decoding: digits, as: UTF8.self) + "Z"
    }
}

/// Digits of base 16.
private let digits = Array("0123456789abcdef".utf8)

extension [UInt8] {
    fileprivate mutating func append(hex bytes: some Sequence<UInt8>) {
        for byte in bytes {
            append(digits[Int(byte >> 4)])
            append(digits[Int(byte & 15)])
        }
    }

    /// Without space at the ends, and runs of spaces made one.
    fileprivate mutating func append(collapsed value: String) {
        for (index, word) in value.utf8.split(separator: UInt8(ascii: " ")).enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            self += word
        }
    }
}
