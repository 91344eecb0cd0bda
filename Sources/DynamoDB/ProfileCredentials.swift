/// Access keys of a profile in the shared files, which are read anew when a key was refused.
package struct ProfileCredentials: CredentialsProvider {
    private let files: SharedFiles
    private let profile: String
    /// Named by somebody (a flag, AWS_PROFILE), so it must be there.
    private let isNamed: Bool

    package init(files: SharedFiles, profile: String, isNamed: Bool) {
        self.files = files
        self.profile = profile
        self.isNamed = isNamed
    }

    package var place: String {
        "aws_access_key_id and aws_secret_access_key of [\(profile)] in \(files.credentialsPath)"
    }

    package func credentials(refreshing: Bool) async throws(DynamoDBError) -> Credentials? {
        let profiles = try files.read()
        guard profiles.exists(profile) else {
            if isNamed { throw profiles.missing(profile) }
            return nil
        }
        // The credentials file is asked first (botocore's order of providers).
        for (section, path) in [
            (profiles.credentialsSection(profile), files.credentialsPath),
            (profiles.configSection(profile), files.configPath),
        ] {
            guard let settings = section?.settings else { continue }
            switch (settings[set: "aws_access_key_id"], settings[set: "aws_secret_access_key"]) {
            case (nil, nil): continue
            case (_, nil): throw half("aws_access_key_id", without: "aws_secret_access_key", path)
            case (nil, _): throw half("aws_secret_access_key", without: "aws_access_key_id", path)
            case (let key?, let secret?):
                return Credentials(
                    accessKeyID: key, secretAccessKey: secret, sessionToken: settings[set: "aws_session_token"])
            }
        }
        for way in Self.waysNotKnown where profiles.setting(way, of: profile) != nil {
            throw .credentials(
                """
                profile "\(profile)" gets its credentials by \(way), which is not supported yet: put access keys into \
                it, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (`aws configure \
                export-credentials --format env` prints them)
                """
            )
        }
        guard isNamed else { return nil }
        throw .credentials(
            """
            profile "\(profile)" has no aws_access_key_id, neither in \(files.credentialsPath) nor in \
            \(files.configPath)
            """
        )
    }

    private static let waysNotKnown = [
        "role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "credential_process", "login_session",
    ]

    private func half(_ there: String, without missing: String, _ path: String) -> DynamoDBError {
        .credentials("profile \"\(profile)\" in \(path) has \(there), but no \(missing): give both")
    }
}
