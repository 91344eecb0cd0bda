internal import ArgumentParser
internal import Glibc
internal import NIOPosix
internal import StreamSim

@main
struct StreamSimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streamsim",
        abstract: "A DynamoDB of your own, with streams that split, expire, trim and fail.",
        discussion: """
            Answers the calls of DynamoDB and DynamoDB Streams at one address, in memory, and lets you do to its streams what \
            the service does by itself: POST /control/split {"table": "orders"}. tools/StreamSim/README.md has the rest.
            """)

    @Option(help: "The address to listen at. Anybody who reaches it can do everything.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 picks a free one.")
    var port = 8000

    @Option(help: "Of all chance; without it one is picked, and printed.")
    var seed: UInt64?

    @Option(help: "Of a hundred calls, how many fail, each in a way of its own.")
    var faults = 0

    @Option(name: .customLong("quirk"), help: "An emulator's peculiarity; may be given again.")
    var quirks: [Quirk] = []

    @Option(
        help: """
            real, or manual: time stands until POST /control/advance moves it, and the same calls get the same bytes.
            """)
    var clock = ServerClock.Kind.real

    @Flag(help: "End when standard input does, so as not to outlive who started this.")
    var endsWithStdin = false

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
        guard (0...100).contains(faults) else { throw ValidationError("--faults is 0 to 100") }
    }

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1...999_999_999)
        var settings = Settings()
        settings.faults = faults
        settings.quirks = Set(quirks)
        // Nobody waits twenty seconds for a demonstration.
        settings.longestDelay = 200_000
        let service = Service(Simulator(seed: seed, settings: settings), ServerClock(clock))
        let server: Server
        do {
            server = try await Server.start(service, host: host, port: port)
        } catch {
            throw ListenError(place: "\(host), port \(port)", reason: "\(error)")
        }
        print("streamsim: seed \(seed), http://\(host.contains(":") ? "[\(host)]" : host):\(server.port)")
        // Whoever started this waits for that line.
        fflush(nil)
        if endsWithStdin { Self.endWithStandardInput() }
        try await server.runUntilClosed()
    }

    /// On a thread of its own, since a read waits for as long as nothing comes.
    private static func endWithStandardInput() {
        NIOThreadPool.singleton.submit { _ in
            while getchar() != EOF {}
            Glibc.exit(0)
        }
    }
}

extension Quirk: ExpressibleByArgument {}

private struct ListenError: Error, CustomStringConvertible {
    let place: String
    let reason: String

    var description: String { "can't listen at \(place): \(reason); --port 0 picks a free one" }
}
