import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Synchronization
import TestSupport
import Testing

/// What is said of a scan that does not get on.
@Suite("A scan that stands still is seen", .timeLimit(.minutes(2)))
struct DaemonScanHealthTests {
    private let rig = Rig(storesPositions: true)
    private let ahead = Clock()

    /// So much later than now it is, by the clock and by what waits are measured by.
    private final class Clock: Sendable {
        private let lead = Mutex(Duration.zero)
        private let began = ContinuousClock.now
        var now: Timestamp { .now() + lead.withLock { $0 } }
        var uptime: Duration { ContinuousClock.now - began + lead.withLock { $0 } }
        func advance(by duration: Duration) { lead.withLock { $0 += duration } }
    }

    private func isSilent(_ complaints: [Health.Complaint]) -> Bool {
        complaints.contains { $0.reason.hasPrefix("the scan: no page has come for") && $0.health == .degraded }
    }

    /// The daemon has said how it fares since the clock was set.
    private func hasSpoken() -> Bool {
        !rig.complaints(now: ahead.now).contains { $0.reason.contains("has given no sign") }
    }

    @Test("A scan that gets no page is a complaint after a minute, until one comes")
    func hanging() async throws {
        rig.addScannedTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Rig.scanning(), now: { [ahead] in ahead.now }, uptime: { [ahead] in ahead.uptime }) { daemon in
            try await eventually("the scan asks") { gate.arrivals == 2 }
            try await eventually("the daemon says how it fares") { hasSpoken() }
            #expect(!isSilent(rig.complaints(now: ahead.now)))
            ahead.advance(by: .seconds(70))
            try await eventually("it is said") { isSilent(rig.complaints(now: ahead.now)) }
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
            try await eventually("it is not said any more") {
                hasSpoken() && !isSilent(rig.complaints(now: ahead.now))
            }
            ahead.advance(by: .seconds(70))
            try await eventually("nor later, where no scan runs") {
                hasSpoken() && !isSilent(rig.complaints(now: ahead.now))
            }
        }
    }

    @Test("A clock that is set forward makes nothing look late")
    func clockSet() async throws {
        rig.addScannedTable()
        let gate = rig.source.hold(.scan)
        try await rig.run(Rig.scanning(), now: { [ahead] in ahead.now }) { daemon in
            try await eventually("the scan asks") { gate.arrivals == 2 }
            ahead.advance(by: .seconds(7200))
            try await eventually("the daemon says how it fares") { hasSpoken() }
            #expect(rig.complaints(now: ahead.now).isEmpty)
            ahead.advance(by: .seconds(-14_400))
            try await eventually("it does again") { rig.told.map { $0 < .now() + .seconds(-3600) } ?? false }
            #expect(rig.complaints(now: ahead.now).isEmpty)
        }
    }

    @Test("A scan that waits for its capacity is no complaint")
    func paced() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.scanReaders = 1
        configuration.scanCapacity = .units(0.00001)
        try await rig.run(configuration, now: { [ahead] in ahead.now }, uptime: { [ahead] in ahead.uptime }) { daemon in
            try await eventually("the scan waits") { rig.clock.waits.contains { $0 > .seconds(50_000) } }
            ahead.advance(by: .seconds(70))
            try await eventually("the daemon says how it fares") { hasSpoken() }
            #expect(!isSilent(rig.complaints(now: ahead.now)))
        }
    }

    @Test("A paused scan has no rate, and is no complaint")
    func paused() async throws {
        rig.addScannedTable()
        let gate = rig.target.hold { $0.items.contains(ScanPage.key(of: "item-9")) }
        try await rig.run(Rig.scanning(), now: { [ahead] in ahead.now }, uptime: { [ahead] in ahead.uptime }) { daemon in
            try await eventually("it has a rate") { rig.scanProgress.map { $0.rates.items > 0 } ?? false }
            try await eventually("half of it is at the target") { gate.arrivals == 1 }
            try await rig.asOperator { try await $0.say(.pause) }
            let waits = rig.clock.waits.count
            try await eventually("the word is seen") { rig.clock.waits.count > waits + 8 }
            gate.open()
            try await eventually("it has none any more") { rig.scanProgress.map { $0.rates == .init() } ?? false }
            ahead.advance(by: .seconds(70))
            try await eventually("the daemon says how it fares") { hasSpoken() }
            #expect(!isSilent(rig.complaints(now: ahead.now)))
            try await rig.asOperator { try await $0.say(.resume) }
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
    }
}
