import Foundation

@testable import DynamoDB

/// STS, an instance's metadata and a container's agent, in one server. What each gives says who it was and what it was shown.
enum CredentialServices {
    static let expiration = "2126-01-01T00:00:00Z"

    static func answer(_ request: TestServer.Request) -> TestServer.Answer {
        let words = request.line.split(separator: " ")
        let path = words.count > 1 ? String(words[1]) : ""
        switch (words.first.map(String.init) ?? "", path) {
        case ("PUT", "/latest/api/token"):
            guard request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600" else {
                return .respond(status: 400, body: "")
            }
            return .respond(body: "IMDSTOKEN")
        case ("GET", let path) where path.hasPrefix("/latest/meta-data/"):
            guard request.headers["x-aws-ec2-metadata-token"] == "IMDSTOKEN" else {
                return .respond(status: 401, body: "")
            }
            return metadata(path)
        case ("GET", "/container"):
            return .respond(body: json("CONTAINER-\(request.headers["authorization"] ?? "none")"))
        case ("POST", "/"): return exchange(request)
        default: return .respond(status: 404, body: "")
        }
    }

    private static func metadata(_ path: String) -> TestServer.Answer {
        switch path {
        case "/latest/meta-data/iam/security-credentials/": .respond(body: "the-role\n")
        case "/latest/meta-data/iam/security-credentials/the-role": .respond(body: json("INSTANCE"))
        case "/latest/meta-data/placement/region": .respond(body: "ap-south-2")
        default: .respond(status: 404, body: "")
        }
    }

    private static func json(_ key: String) -> String {
        """
        {"Code":"Success","AccessKeyId":"\(key)","SecretAccessKey":"secret","Token":"token","Expiration":"\(expiration)"}
        """
    }

    private static func exchange(_ request: TestServer.Request) -> TestServer.Answer {
        var fields: [String: String] = [:]
        for pair in request.body.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            fields[parts[0]] = parts.count > 1 ? parts[1].removingPercentEncoding : ""
        }
        let role = fields["RoleArn"]?.split(separator: "/").last.map(String.init) ?? "?"
        let action = fields["Action"] ?? "?"
        let by: String
        if let token = fields["WebIdentityToken"] {
            by = request.headers["authorization"] == nil ? token : "SIGNED"
        } else {
            // Credential=KEY/20260101/…
            let credential = request.headers["authorization"]?.split(separator: "=").dropFirst().first
            by = credential?.split(separator: "/").first.map(String.init) ?? "UNSIGNED"
        }
        let more = ["ExternalId", "DurationSeconds"].compactMap { fields[$0] }.map { "-\($0)" }.joined().replacing(
            "&", with: "&amp;")
        return .respond(
            body: """
                <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result><Credentials>
                <AccessKeyId>\(role)-BY-\(by)\(more)</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
                <SessionToken>token</SessionToken><Expiration>\(expiration)</Expiration></Credentials>
                <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
                </\(action)Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></\(action)Response>
                """)
    }
}

/// Shared files and whatever else stands in a folder of its own, removed in the end.
final class AWSFiles: Sendable {
    let folder: URL

    init(config: String = "", credentials: String = "", token: String = "WEBTOKEN\n") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("shake-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write(config, "config")
        try write(credentials, "credentials")
        try write(token, "token")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ text: String, _ name: String) throws {
        try Data(text.replacing("FOLDER", with: folder.path).utf8).write(to: folder.appendingPathComponent(name))
    }

    var environment: [String: String] {
        [
            "HOME": folder.path, "PATH": "/usr/bin:/bin", "AWS_CONFIG_FILE": path("config"),
            "AWS_SHARED_CREDENTIALS_FILE": path("credentials"),
        ]
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}
