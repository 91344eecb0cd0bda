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
        let day = String(date.prefix(8))
        var signed = headers + [("x-amz-date", date)]
        if let token = credentials.sessionToken { signed.append(("x-amz-security-token", token)) }
        signed.sort { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        var canonical = "POST\n/\n\n"
        for (name, value) in signed { canonical += "\(name):\(value.collapsed)\n" }
        canonical += "\n\(names)\n\(SHA256.hash(data: body).hex)"
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(SHA256.hash(data: Array(canonical.utf8)).hex)"
        let signature = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key(day, credentials)).hex
        let authorization =
            """
            AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), \
            Signature=\(signature)
            """
        return Signature(date: date, token: credentials.sessionToken, authorization: authorization)
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
    fileprivate var compact: String { description.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z" }
}

extension String {
    /// Without space at the ends, and runs of spaces made one.
    fileprivate var collapsed: String { split(separator: " ").joined(separator: " ") }
}

/// Digits of base 16.
private let digits = Array("0123456789abcdef".utf8)

extension Sequence<UInt8> {
    fileprivate var hex: String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * underestimatedCount)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
