internal import Foundation
internal import StreamModel

/// Credentials that a program prints (credential_process).
///
/// What it writes to its standard error is not repeated anywhere: it may be a secret. By hand one sees it.
struct ProcessCredentials: CredentialsProvider {
    let command: ProcessCommand
    let profile: String
    let environment: [String: String]
    let surroundings: Surroundings

    /// The SDK for Go ends it after a minute as well.
    static let timeout: Duration = .seconds(60)

    var name: String { "credential_process of profile \"\(profile)\"" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        func trouble(_ why: String) -> DynamoDBError {
            .credentials("\(name): \(command.program) \(why): run its command by hand to see what it says")
        }
        guard let executable else { throw trouble("can't be started: there is no such program in PATH") }
        let child: ChildProcess
        do throws(ChildProcess.Failure) {
            child = try ChildProcess(executable, command.arguments, environment: environment)
        } catch { throw trouble("can't be started: \(error.reason)") }
        switch await ProcessRun(child).ending(within: Self.timeout, surroundings) {
        case .cancelled: throw .cancelled
        case .hangs: throw trouble("took longer than a minute, and was ended with all of its process group")
        case .isHeld(let status):
            throw trouble(
                """
                ended with \(status), but something that it has started held its standard output open for a minute, and was ended \
                with all of its process group: what goes on behind it must close that
                """)
        case .ended(let status, _) where status != 0: throw trouble("ended with \(status)")
        case .ended(_, let output):
            guard let document = CredentialsDocument(output) else { throw trouble("printed no JSON object") }
            guard document.isOfProcess else { throw trouble("printed another \"Version\" than 1") }
            guard let credentials = document.credentials else {
                throw trouble("printed no AccessKeyId, no SecretAccessKey or an Expiration that is no time")
            }
            return .found(credentials)
        }
    }

    /// Where a name without a slash is found, as a shell finds it.
    private var executable: String? {
        if command.program.contains("/") { return command.program }
        return (environment[set: "PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(command.program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
