import Logging
import NIOCore
import NIOPosix
import StatusServer
import Testing

@Suite("A client that takes its time", .timeLimit(.minutes(1)))
struct SlowClientTests {
    /// More than the system would take for a client that reads none of it.
    private static let size = 16 << 20

    /// Says the same to everybody, at length.
    private struct Long: StatusAnswers {
        func metrics() -> String { String(repeating: "a", count: size) }
        func liveness() -> Verdict { Verdict(isGood: true, lines: []) }
        func readiness() -> Verdict { Verdict(isGood: true, lines: []) }
        func status() -> [String] { [] }
        func recentStatus() -> [String] { [] }
        func shards(of table: String?) -> [String] { [] }
        func history(_ question: Route.HistoryQuestion) -> [String] { [] }
        func state(of shard: String, at: String?) -> [String] { [] }
        func lastPosition() -> UInt64 { 0 }
        func events(after position: UInt64, limit: Int) -> [JournalLine] { [] }
    }

    /// What it gets of a long answer where it rests for so long after so many of the parts that it takes; and the longest rest that it
    /// had: on a busy machine it may be longer than it was to be.
    ///
    /// - Parameter endsFirst: it ends its own side once it has asked, as `nc -N` does.
    private func taken(
        resting rest: Duration, times: Int, patience: Duration, endsFirst: Bool = false
    ) async throws -> (bytes: Int, rested: Duration) {
        var limits = ServerLimits()
        limits.patience = patience
        limits.watchInterval = patience / 10
        let server = StatusServer(
            HTTPAddress(host: "127.0.0.1", port: 0), token: nil, answers: Long(), limits: limits,
            logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        defer { running.cancel() }
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .connect(host: "127.0.0.1", port: try await server.port()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                            isOutboundHalfClosureEnabled: true, inboundType: ByteBuffer.self,
                            outboundType: ByteBuffer.self))
                }
            }
        return try await client.executeThenClose { inbound, outbound in
            try await outbound.write(
                ByteBuffer(string: "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            if endsFirst { outbound.finish() }
            var (bytes, parts, rested) = (0, 0, Duration.zero)
            var last = ContinuousClock.now
            do {
                for try await part in inbound {
                    bytes += part.readableBytes
                    if parts < times { try await Task.sleep(for: rest) }
                    parts += 1
                    rested = max(rested, .now - last)
                    last = .now
                }
            } catch is IOError {}  // it was cut
            return (bytes, rested)
        }
    }

    @Test(
        "has its answer, which takes longer than it may take nothing", .timeLimit(.minutes(3)),
        arguments: [false, true])
    func slow(endsFirst: Bool) async throws {
        for patience in [Duration.seconds(1), .seconds(4), .seconds(16)] {
            let taken = try await taken(
                resting: patience / 20, times: 30, patience: patience, endsFirst: endsFirst)
            // Nothing is promised to one that rested for too long.
            guard taken.rested < patience / 2 else { continue }
            #expect(taken.bytes > Self.size)
            return
        }
        Issue.record("the machine is too busy to tell")
    }

    @Test("and takes none of it is cut", arguments: [false, true])
    func still(endsFirst: Bool) async throws {
        let taken = try await taken(
            resting: .seconds(3), times: 1, patience: .milliseconds(300), endsFirst: endsFirst)
        #expect(taken.bytes < Self.size)
    }
}
