internal import Foundation
internal import StreamModel

/// What containers, instances and credential processes answer, in JSON.
///
/// Source: SDKs and Tools Reference Guide, "Container credential provider", "IMDS", "Process credential provider".
struct CredentialsDocument: Decodable {
    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case code = "Code"
        case lowerCode = "code"
        case message = "Message"
        case lowerMessage = "message"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case sessionToken = "SessionToken"
        case expiration = "Expiration"
    }

    private let version: Int?
    private let code: String?
    private let lowerCode: String?
    private let message: String?
    private let lowerMessage: String?
    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let token: String?
    private let sessionToken: String?
    private let expiration: String?

    /// - Returns: `nil` for what is no JSON object with members of these types.
    init?(_ bytes: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = document
    }

    /// What went wrong, in the words of who answered; `nil` where nothing did.
    var refusal: String? {
        guard let code = code ?? lowerCode, code != "Success" else { return nil }
        return (message ?? lowerMessage).map { "\(code): \($0)" } ?? code
    }

    var isOfProcess: Bool { version == 1 }

    /// - Returns: `nil` where half of them is missing, or an expiration is there that is no time.
    var credentials: Credentials? {
        guard let accessKeyID, let secretAccessKey, !accessKeyID.isEmpty, !secretAccessKey.isEmpty else { return nil }
        var moment: Timestamp?
        if let expiration {
            guard let time = Timestamp(expiration) else { return nil }
            moment = time
        }
        return Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: token ?? sessionToken,
            expiration: moment)
    }
}
