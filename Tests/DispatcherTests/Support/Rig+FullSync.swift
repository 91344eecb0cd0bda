import Dispatcher
import Journal
import StreamModel
import Testing

/// What tests of scans do.
extension Rig {
    static func scanning(_ mode: DaemonConfiguration.Mode = .all) -> DaemonConfiguration {
        var configuration = following
        configuration.mode = mode
        configuration.scanSegments = 3
        configuration.scanReaders = 2
        return configuration
    }

    /// The same, and what is lost is scanned again.
    static var resyncing: DaemonConfiguration {
        var configuration = scanning()
        configuration.onLoss = LossPolicies(.resync)
        return configuration
    }

    /// Twenty items, in three segments of pages of two.
    static let items = (0..<20).map { "item-\($0)" }
    static let keys = Set(items.map(ScanPage.key(of:)))
    /// Those that records of the stream are about; rows of them may be left out.
    static let followedKeys = Set(items.prefix(3).map(ScanPage.key(of:)))

    /// With a shard that is over, and one that is open.
    func addScannedTable() {
        source.change(Sample.table) { $0.items = Self.items }
        source.add(FakeShard("old", 1...3, isClosed: true), FakeShard("a", 4...6))
    }

    /// Runs until some of the scan is journaled.
    func scanPartly(now: @escaping @Sendable () -> Timestamp = { .now() }) async throws {
        let gate = target.hold { $0.shard == nil }
        try await run(Self.scanning(), now: now) { daemon in
            try await eventually("a page is at the target") { gate.arrivals == 1 }
            daemon.askToStop()
            gate.open()
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        let segments = try journal { try $0.table(Sample.table)?.segments }
        #expect(segments?.isEmpty == false && segments?.allSatisfy(\.isFinished) == false)
    }
}
