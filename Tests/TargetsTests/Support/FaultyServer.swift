import Foundation
import StreamModel
import Targets
import Testing

/// A kind of target with a server, and one server of it that the tests may spoil. To add one, add a value, and name it in `allCases`.
struct FaultCandidate: Sendable, CustomTestStringConvertible {
    let name: String
    /// The same one each time; those who spoil it go one after the other.
    let server: @Sendable () async throws -> any FaultyServer

    var testDescription: String { name }

    static let allCases: [FaultCandidate] = [.postgres, .mongoDB, .mongoDBStandalone]
}

protocol FaultyServer: Sendable {
    /// Whether the target's client library makes a call again by itself, so that a lost connection may be no error.
    var isTriedAgainWithin: Bool { get }
    /// A target whose way to the server is spoilt by `spoil`, and that gives up a silent server after `patience`.
    func make(_ scratch: Scratch, patience: Duration) async throws -> any Target
    /// What the server holds, asked beside the spoilt way.
    func items(of table: TableSchema, _ scratch: Scratch) async throws -> [WireValue]
    func spoil(_ fault: Fault) async throws
    /// Undoes all of it.
    func heal() async throws
    /// An item that this server refuses.
    func refusedItem(_ id: String) -> String
    /// A target of somebody who can't write there, and words of what they are told; `nil` where that can't be.
    func make(_ scratch: Scratch, by somebody: Unwelcome) async throws -> (any Target, words: String)?
}

/// What a test does to a server, or to the way there.
enum Fault: Hashable, Sendable, CustomTestStringConvertible {
    /// The next write is cut off when so many bytes of it were sent.
    case lost(after: Int)
    /// The next write takes effect, and its answer is lost.
    case answerLost
    /// Nothing is passed on, and nothing is closed.
    case silent
    case slow(milliseconds: Int)
    /// In good order, and up again.
    case restarted
    /// As by a crash, and up again.
    case killed

    var testDescription: String {
        switch self {
        case .lost(let bytes): "after \(bytes) bytes"
        case .answerLost: "its answer lost"
        case .silent: "silent"
        case .slow: "slow"
        case .restarted: "restarted"
        case .killed: "killed"
        }
    }
}

enum Unwelcome: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case wrongPassword = "with a wrong password"
    case wrongPlace = "who names a place that is not there"
    case noRights = "without rights"

    /// In every URL of somebody with a password; no message may hold it.
    static let password = "wr0ng-s3cret"

    var testDescription: String { rawValue }
}

extension Target {
    /// As the dispatcher does: what is unavailable is tried again.
    ///
    /// - Returns: how often it was.
    @discardableResult
    func persist(_ batches: [Batch]) async throws -> Int {
        for attempt in 0..<400 {
            do {
                _ = try await write(batches)
                return attempt
            } catch {
                guard error.isRetryable else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        Issue.record("it is unavailable for good")
        return 400
    }
}

/// tools/lib/faultproxy.py: a TCP proxy that can be told to fail.
final class FaultProxy: Sendable {
    private let process: ThrowawayServer
    let port: Int

    /// - Parameter place: `HOST:PORT` of the server.
    init(to place: String) throws {
        process = try ThrowawayServer("lib/faultproxy.py", ["--to", place], by: "python3")
        guard let port = Int(process.url) else { throw WireValue.Malformed("the proxy says \(process.url)") }
        self.port = port
    }

    func say(_ word: String) throws { try process.obey(word) }

    /// - Returns: whether it is one of the network's faults.
    func spoil(_ fault: Fault) throws -> Bool {
        switch fault {
        case .lost(let bytes): try say("cut client \(bytes)")
        case .answerLost: try say("swallow")
        case .silent: try say("freeze")
        case .slow(let milliseconds): try say("delay \(milliseconds)")
        case .restarted, .killed: return false
        }
        return true
    }
}
