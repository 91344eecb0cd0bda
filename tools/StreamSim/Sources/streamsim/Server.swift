internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Listens, and gives each connection a handler. One thread does it all, so that requests are answered in the order in which
/// they came.
struct Server: Sendable {
    let port: Int
    private let channel: any Channel

    static func start(_ service: Service, host: String, port: Int) async throws -> Server {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 512)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(service))
                }
            }
            .bind(host: host, port: port).get()
        return Server(port: channel.localAddress?.port ?? port, channel: channel)
    }

    func runUntilClosed() async throws { try await channel.closeFuture.get() }
}
