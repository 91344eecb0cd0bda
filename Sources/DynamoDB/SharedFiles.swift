internal import Foundation

/// `~/.aws/config` and `~/.aws/credentials`, or wherever the environment says that they are.
package struct SharedFiles: Sendable {
    let configPath: String
    let credentialsPath: String

    package init(environment: [String: String]) {
        let home = environment[set: "HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
        func path(_ variable: String, _ name: String) -> String {
            guard let given = environment[set: variable] else { return "\(home)/.aws/\(name)" }
            return given == "~" || given.hasPrefix("~/") ? home + given.dropFirst() : given
        }
        configPath = path("AWS_CONFIG_FILE", "config")
        credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    }

    /// A file that isn't there is an empty one.
    ///
    /// - Throws: `.notPermitted` for one that may not be read, `.configuration` for one that can't be or isn't in the format.
    func read() throws(DynamoDBError) -> Profiles {
        Profiles(
            config: try Self.read(configPath, "AWS_CONFIG_FILE"),
            credentials: try Self.read(credentialsPath, "AWS_SHARED_CREDENTIALS_FILE"), files: self)
    }

    private static func read(_ path: String, _ variable: String) throws(DynamoDBError) -> ConfigurationText {
        let data: Data
        do {
            // By a handle, since `Data(contentsOf:)` takes regular files only, and /dev/null is how one switches a file off.
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            data = try file.readToEnd() ?? Data()
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return ConfigurationText()
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw .notPermitted(
                "\(path) may not be read by this user: grant that, or name another file by \(variable) (/dev/null: none)"
            )
        } catch {
            throw .configuration(
                "can't read \(path): \(error.localizedDescription): mend it, or name another file by \(variable) (/dev/null: none)"
            )
        }
        return try ConfigurationText(Array(data), path: path)
    }
}

/// What the shared files say of profiles, at the moment they were read.
struct Profiles: Sendable {
    let config: ConfigurationText
    let credentials: ConfigurationText
    let files: SharedFiles

    /// In the config file a profile's section is `[profile x]`, in the credentials file `[x]`; `default` is `[default]`
    /// in both, though `[profile default]` goes before it.
    func configSection(_ profile: String) -> ConfigurationText.Section? {
        config.sections["profile \(profile)"] ?? (profile == "default" ? config.sections["default"] : nil)
    }

    func credentialsSection(_ profile: String) -> ConfigurationText.Section? { credentials.sections[profile] }

    /// What stands in both files holds as the credentials file says it (botocore).
    func setting(_ name: String, of profile: String) -> String? {
        credentialsSection(profile)?.settings[set: name] ?? configSection(profile)?.settings[set: name]
    }

    /// The endpoint of one service: from the profile's `services` section.
    ///
    /// - Throws: `.configuration` where the profile names a section that isn't there.
    func serviceEndpoint(_ service: String, of profile: String) throws(DynamoDBError) -> String? {
        guard let name = setting("services", of: profile) else { return nil }
        guard let section = config.sections["services \(name)"] else {
            throw .configuration(
                "profile \"\(profile)\" names services = \(name), but \(files.configPath) has no [services \(name)]")
        }
        return section.nested[service]?[set: "endpoint_url"]
    }

    func exists(_ profile: String) -> Bool { configSection(profile) != nil || credentialsSection(profile) != nil }

    var names: [String] {
        let named = config.sections.keys.compactMap { name in
            name == "default" ? name : name.hasPrefix("profile ") ? String(name.dropFirst("profile ".count)) : nil
        }
        return Set(named).union(credentials.sections.keys).sorted()
    }

    /// - Parameter role: what the profile was wanted as.
    func missing(_ profile: String, _ role: String? = nil) -> DynamoDBError {
        let known = names.isEmpty ? "they hold none" : "they hold \(names.joined(separator: ", "))"
        return .configuration(
            "profile \"\(profile)\"\(role.map { ", the \($0)," } ?? "") is neither in \(files.configPath) nor in \(files.credentialsPath): \(known)"
        )
    }
}
