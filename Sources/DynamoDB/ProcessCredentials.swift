internal import Foundation
internal import Glibc
internal import StreamModel
internal import Synchronization

/// Credentials that a program prints (credential_process).
///
/// What it writes to its standard error is not repeated anywhere: it may be a secret. By hand one sees it.
struct ProcessCredentials: CredentialsProvider {
    let command: ProcessCommand
    let profile: String
    let environment: [String: String]
    let surroundings: Surroundings

    /// The SDK for Go ends it after a minute as well.
    private static let timeout: Duration = .seconds(60)
    private static let longest = 64 << 10

    var name: String { "credential_process of profile \"\(profile)\"" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        let ending = await run()
        func trouble(_ why: String) -> DynamoDBError {
            .credentials("\(name): \(command.program) \(why): run its command by hand to see what it says")
        }
        switch ending {
        case .cancelled: throw .cancelled
        case .notStarted(let reason): throw trouble("can't be started: \(reason)")
        case .timedOut: throw trouble("took longer than a minute")
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

    private enum Ending: Sendable {
        case ended(status: Int32, output: [UInt8])
        case notStarted(String)
        case timedOut
        case cancelled
    }

    /// Where a name without a slash is found, as a shell finds it.
    private var executable: String? {
        if command.program.contains("/") { return command.program }
        return (environment[set: "PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(command.program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private func run() async -> Ending {
        guard let executable else { return .notStarted("there is no such program in PATH") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = command.arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return .notStarted(error.localizedDescription) }
        let (pid, reading, once) = (process.processIdentifier, output.fileHandleForReading, Once())
        let patience = Task(executorPreference: surroundings.executor) { [surroundings] in
            do { try await surroundings.sleep(for: Self.timeout) } catch { return }
            once.say(.timedOut)
        }
        let ending = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Ending, Never>) in
                once.expect(continuation)
                // It blocks, so it has a thread of its own.
                Thread.detachNewThread {
                    var bytes: [UInt8] = []
                    while bytes.count <= Self.longest, let more = try? reading.read(upToCount: 4096), !more.isEmpty {
                        bytes += more
                    }
                    // A writer of more than that is ended by its own next write.
                    try? reading.close()
                    process.waitUntilExit()
                    once.say(.ended(status: process.terminationStatus, output: bytes))
                }
            }
        } onCancel: {
            once.say(.cancelled)
        }
        patience.cancel()
        if case .ended = ending {} else { kill(pid, SIGKILL) }
        return ending
    }

    /// The first that is said is what counts.
    private final class Once: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Ending, Never>?
            var said: Ending?
        }

        private let state = Mutex(State())

        func expect(_ continuation: CheckedContinuation<Ending, Never>) {
            let said = state.withLock { state in
                if state.said == nil { state.continuation = continuation }
                return state.said
            }
            if let said { continuation.resume(returning: said) }
        }

        func say(_ ending: Ending) {
            let continuation = state.withLock { state in
                guard state.said == nil else { return nil as CheckedContinuation<Ending, Never>? }
                state.said = ending
                return state.continuation.take()
            }
            continuation?.resume(returning: ending)
        }
    }
}
