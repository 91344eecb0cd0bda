/// How a profile comes by its credentials.
indirect enum CredentialsWay: Hashable, Sendable {
    case keys(Credentials)
    case process(ProcessCommand, profile: String)
    case webIdentity(WebIdentity)
    case role(RoleRequest, by: CredentialsWay)
    /// What a role's profile names as `credential_source`.
    case environment
    case container
    case instance
}

/// The places that are asked for credentials, in their order, which is botocore's (FACTS 3.2).
enum CredentialsPlace: Hashable, Sendable, CaseIterable {
    /// AWS_ACCESS_KEY_ID and what belongs to it.
    case environment
    /// A profile's role_arn, with source_profile or credential_source.
    case roleOfProfile
    /// A token in a file, and a role; by the environment or the profile.
    case webIdentity
    /// A profile's own keys, or its credential_process.
    case profile
    case container
    case instance

    /// - Parameter isProfileChosen: by a flag or the configuration, not by the environment: then that is meant, and not the
    ///   environment's keys.
    static func order(isProfileChosen: Bool) -> [CredentialsPlace] {
        isProfileChosen ? allCases.filter { $0 != .environment } : allCases
    }
}

extension Profiles {
    /// The role that the profile is to assume, and what assumes it.
    ///
    /// - Returns: `nil` for a profile without `role_arn`, or whose role is for a web identity's token.
    /// - Throws: `.credentials` or `.configuration` for one that can't work.
    func role(of profile: String, behind visited: [String] = []) throws(DynamoDBError) -> CredentialsWay? {
        guard let role = setting("role_arn", of: profile), setting("web_identity_token_file", of: profile) == nil
        else { return nil }
        guard setting("mfa_serial", of: profile) == nil else {
            throw .credentials(
                """
                profile "\(profile)": its role wants a code of a device (mfa_serial), which nobody can give to a daemon: let \
                another role trust these credentials without
                """)
        }
        let request = try RoleRequest(
            role, externalID: setting("external_id", of: profile),
            sessionName: setting("role_session_name", of: profile),
            seconds: setting("duration_seconds", of: profile))
        switch (setting("source_profile", of: profile), setting("credential_source", of: profile)) {
        case (nil, nil):
            throw .credentials(
                "profile \"\(profile)\" has role_arn, but neither source_profile nor credential_source: say who assumes it"
            )
        case (_?, _?):
            throw .configuration(
                "profile \"\(profile)\" has both source_profile and credential_source: leave one of them out")
        case (nil, let source?): return .role(request, by: try Self.way(source, profile))
        case (let source?, nil):
            guard exists(source) else { throw missing(source, "source_profile of \"\(profile)\"") }
            let seen = visited + [profile]
            // A profile may be its own source, for keys that stand in it.
            guard !seen.contains(source) || source == profile && hasKeys(profile) else {
                throw .configuration(
                    "the source_profile of \"\(profile)\" leads back to \"\(source)\": no profile in that circle has access keys"
                )
            }
            if !hasKeys(source), let way = try self.role(of: source, behind: seen) { return .role(request, by: way) }
            guard let way = try own(source) else {
                throw .credentials(
                    "profile \"\(source)\", the source_profile of \"\(profile)\", has no credentials: put access keys into it"
                )
            }
            return .role(request, by: way)
        }
    }

    private static func way(_ source: String, _ profile: String) throws(DynamoDBError) -> CredentialsWay {
        switch source.lowercased() {
        case "environment": return .environment
        case "ecscontainer": return .container
        case "ec2instancemetadata": return .instance
        default:
            throw .configuration(
                """
                credential_source of profile "\(profile)" is "\(source)": it must be Environment, EcsContainer or \
                Ec2InstanceMetadata
                """)
        }
    }

    private func hasKeys(_ profile: String) -> Bool {
        setting("aws_access_key_id", of: profile) != nil || setting("aws_secret_access_key", of: profile) != nil
    }

    /// Of the environment and the profile together.
    func webIdentity(of profile: String, environment: [String: String]) throws(DynamoDBError) -> CredentialsWay? {
        try WebIdentity(environment: environment, profile: profile) { setting($0, of: profile) }.map {
            .webIdentity($0)
        }
    }

    /// What a profile has without any other.
    private func own(_ profile: String) throws(DynamoDBError) -> CredentialsWay? {
        if let way = try webIdentity(of: profile, environment: [:]) { return way }
        return try keysOrProcess(of: profile)
    }

    /// - Throws: `.credentials` for half of the keys, and for a way that isn't known here.
    func keysOrProcess(of profile: String) throws(DynamoDBError) -> CredentialsWay? {
        if let keys = try keys(credentialsSection(profile), profile, files.credentialsPath) { return keys }
        if let text = setting("credential_process", of: profile) {
            guard let command = ProcessCommand(text) else {
                throw .configuration(
                    "credential_process of profile \"\(profile)\" names no program, or has a quote that isn't closed")
            }
            return .process(command, profile: profile)
        }
        if let keys = try keys(configSection(profile), profile, files.configPath) { return keys }
        for way in Self.interactive where setting(way, of: profile) != nil {
            throw .credentials(
                """
                profile "\(profile)" gets its credentials by signing in (\(way)), which is not supported: a session of a \
                person ends, and a daemon can't sign in. Give it a role or access keys; for a trial \
                `aws configure export-credentials --profile \(profile) --format env` prints some that last for hours
                """)
        }
        return nil
    }

    /// SSO, and what `aws login` writes.
    private static let interactive = ["sso_session", "sso_start_url", "login_session"]

    private func keys(
        _ section: ConfigurationText.Section?, _ profile: String, _ path: String
    ) throws(DynamoDBError) -> CredentialsWay? {
        func half(_ there: String, without missing: String) -> DynamoDBError {
            .credentials("profile \"\(profile)\" in \(path) has \(there), but no \(missing): give both")
        }
        guard let settings = section?.settings else { return nil }
        switch (settings[set: "aws_access_key_id"], settings[set: "aws_secret_access_key"]) {
        case (nil, nil): return nil
        case (_, nil): throw half("aws_access_key_id", without: "aws_secret_access_key")
        case (nil, _): throw half("aws_secret_access_key", without: "aws_access_key_id")
        case (let key?, let secret?):
            return .keys(
                Credentials(
                    accessKeyID: key, secretAccessKey: secret, sessionToken: settings[set: "aws_session_token"]))
        }
    }
}
