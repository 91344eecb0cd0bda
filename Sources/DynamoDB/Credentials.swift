package import StreamModel

/// What requests are signed with. Nothing that prints it shows a secret.
package struct Credentials: Hashable, Sendable {
    package let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String?
    /// When they are no longer good; `nil` where that isn't known.
    package let expiration: Timestamp?

    package init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Timestamp? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    /// What nobody's message may repeat.
    var secrets: [String] { [secretAccessKey, sessionToken ?? ""] }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The key's id names it and is no secret.
    package var description: String { "credentials \(accessKeyID)" }
    package var debugDescription: String { description }
    /// Else `dump` and string interpolation of what holds it would print the fields.
    package var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
