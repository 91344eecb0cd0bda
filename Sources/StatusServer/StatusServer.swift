internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// Serves metrics, health, the API and the page over HTTP, beside a daemon that does not depend on it.
package final class StatusServer: Service {
    private struct State {
        var outcome: Result<Int, StatusServerError>?
        var waiting: [CheckedContinuation<Result<Int, StatusServerError>, Never>] = []
    }

    private let address: HTTPAddress
    private let responder: StatusResponder
    private let limits: ServerLimits
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - token: what a client has to show; `nil` is for loopback only.
    ///   - logger: hears of what ends the server. Requests are not logged.
    package init(
        _ address: HTTPAddress, token: String?, answers: any StatusAnswers, limits: ServerLimits = ServerLimits(),
        logger: Logger
    ) {
        precondition(address.isLoopback || token != nil, "a server that others reach is given a token")
        self.address = address
        self.limits = limits
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        self.logger = quiet
        responder = StatusResponder(answers, Access(address, token: token), limits, quiet)
    }

    /// Serves until its task is cancelled.
    ///
    /// - Throws: what ended it; where that was before it served, `port()` says why.
    package func run() async throws {
        // One thread: a scrape is small, and the daemon has better use for the others.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (limits, lobby) = (limits, Lobby(room: limits.connections))
        let (closing, closed) = AsyncStream.makeStream(of: Void.self)
        let application = Application(
            responder: responder,
            server: .http1(configuration: .init(additionalChannelHandlers: [Doorkeeper(limits, lobby)])),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "shake"),
            onServerRunning: { channel in
                channel.closeFuture.whenComplete { _ in closed.finish() }
                self.settle(.success(channel.localAddress?.port ?? self.address.port))
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await application.run() }
                // The framework waits for the last client, which may be one that follows the events for ever.
                tasks.addTask { for await _ in closing {} }
                try await tasks.next()
                tasks.cancelAll()
            }
        } catch {
            settle(.failure(.notBound(address: address, reason: Self.reason(of: error))))
            // Not waited for: whoever ends the server has other things to end.
            group.shutdownGracefully { _ in }
            throw error
        }
        settle(.failure(.notBound(address: address, reason: .other("it was ended before it began"))))
        group.shutdownGracefully { _ in }
    }

    /// Waits until it serves.
    ///
    /// - Returns: the port that it serves at.
    package func port() async throws(StatusServerError) -> Int {
        let result = await withCheckedContinuation { continuation in
            let known: Result<Int, StatusServerError>? = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }

    /// The first word counts: what ends a server that has served is no reason why it did not begin.
    private func settle(_ outcome: Result<Int, StatusServerError>) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Result<Int, StatusServerError>, Never>]() }
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: outcome) }
    }

    private static func reason(of error: any Error) -> StatusServerError.Reason {
        guard let error = error as? IOError else { return .other("\(error)") }
        switch error.errnoCode {
        case EADDRINUSE: return .inUse
        case EACCES, EPERM: return .notPermitted
        case EADDRNOTAVAIL: return .notOurs
        default: return .other("\(error)")
        }
    }
}
