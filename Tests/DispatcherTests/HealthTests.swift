import Dispatcher
import StreamModel
import Testing

/// Health is derived from what was last done, so that a daemon which lives and does nothing is not well.
@Suite("Health")
struct HealthTests {
    private let now = Sample.moment
    private let table = Sample.table

    private func ago(_ seconds: Int) -> Timestamp { now + .seconds(-seconds) }

    /// All is well, but for what `body` changes.
    private func complaints(_ body: (inout VitalSigns) -> Void = { _ in }) -> [Health.Complaint] {
        var signs = VitalSigns(
            written: ago(1), worker: "here/7",
            tables: [
                VitalSigns.Table(
                    name: table.text, listed: ago(20),
                    shards: [
                        VitalSigns.Shard(id: "a", taken: ago(900), page: ago(1), isInStep: true),
                        VitalSigns.Shard(id: "b", taken: ago(900), page: ago(2)),
                    ])
            ])
        signs.target.acknowledged = ago(5)
        body(&signs)
        return Health.complaints(of: table, signs, now: now)
    }

    private func trouble(_ seconds: Int, tries: Int = 3) -> VitalSigns.Trouble {
        VitalSigns.Trouble(since: ago(seconds), tries: tries, cause: "throttled")
    }

    @Test("is good where everything was done a moment ago")
    func good() { #expect(complaints().isEmpty) }

    @Test("is bad where the daemon says nothing any more, whatever it said last")
    func silent() {
        let found = complaints { $0.written = ago(25) }
        #expect(found.map(\.health) == [.failed])
        #expect(found[0].reason.contains("here/7") && found[0].reason.contains("25 s"))
    }

    @Test("suffers where a shard brings no page, and names the one that waits longest")
    func still() {
        let found = complaints { signs in
            signs.tables[0].shards[0].page = ago(100)
            signs.tables[0].shards[1].page = ago(200)
        }
        #expect(found.map(\.health) == [.degraded])
        #expect(found[0].reason == "shard b: no page has come for 3 min, and 1 more shard")
    }

    @Test("suffers where a shard was taken up and never brought one")
    func never() {
        let found = complaints { $0.tables[0].shards[0].page = nil }
        #expect(found.map(\.reason) == ["shard a: no page has come for 15 min"])
    }

    @Test("suffers where a scan brings no page, unless it waits, failed, or the target holds it back")
    func stillScan() {
        let found = complaints { $0.tables[0].scanMoved = ago(100) }
        #expect(found == [Health.Complaint(.degraded, "the scan: no page has come for 100 s")])
        #expect(complaints { $0.tables[0].scanMoved = ago(60) }.isEmpty)
        #expect(complaints { $0.tables[0].scanMoved = ago(-900) }.isEmpty, "the next page is due later")
        let failed = complaints { signs in
            signs.tables[0].scanMoved = ago(100)
            signs.tables[0].scan = trouble(100)
        }
        #expect(failed.count == 1 && failed[0].reason.contains("throttled"))
        let held = complaints { signs in
            signs.tables[0].scanMoved = ago(100)
            signs.target.busySince = ago(90)
        }
        #expect(held.map(\.reason) == ["the target has acknowledged nothing for 90 s"])
    }

    @Test("suffers where reading fails and is tried again, and says since when and how often")
    func resting() {
        let found = complaints { $0.tables[0].shards[1].trouble = trouble(300) }
        #expect(found.map(\.health) == [.degraded])
        #expect(found[0].reason.contains("(5 min, 3 times): throttled"))
    }

    @Test("suffers at once where the shards can't be listed, and says since when")
    func listingFails() {
        let found = complaints { $0.tables[0].listing = trouble(40) }
        #expect(found.map(\.health) == [.degraded])
        #expect(found[0].reason.contains("the list of shards is tried again since"))
    }

    @Test("suffers where the shards were not listed for long, though nothing failed")
    func listing() { #expect(complaints { $0.tables[0].listed = ago(400) }.map(\.health) == [.degraded]) }

    @Test("suffers where the whole table is begun again and again")
    func begunAgain() {
        let found = complaints { $0.tables[0].trouble = trouble(7200, tries: 1) }
        #expect(found[0].reason.contains("(2 h, 1 time): throttled"))
    }

    @Test("is bad where the table waits for an operator")
    func waits() {
        let found = complaints { signs in
            signs.tables[0].trouble = VitalSigns.Trouble(since: ago(60), tries: 1, cause: "lost", needsOperator: true)
        }
        #expect(found == [Health.Complaint(.failed, "lost")])
    }

    @Test(
        "suffers, and then is bad, where the target acknowledges nothing",
        arguments: [(30, nil), (120, .degraded), (700, .failed)] as [(Int, Health?)])
    func target(seconds: Int, health: Health?) {
        let found = complaints { signs in
            signs.target.busySince = ago(seconds)
            signs.target.trouble = "locked"
        }
        #expect(found.first?.health == health)
        #expect(found.isEmpty || found[0].reason.contains("(locked)"))
    }

    @Test("blames the target and not the shards where both stand still")
    func blocked() {
        let found = complaints { signs in
            signs.target.busySince = ago(700)
            signs.tables[0].shards[0].page = ago(690)
        }
        #expect(found.count == 1 && found[0].reason.hasPrefix("the target"))
    }

    @Test("names the worst first")
    func order() {
        let found = complaints { signs in
            signs.target.busySince = ago(700)
            signs.tables[0].trouble = trouble(60)
        }
        #expect(found.map(\.health) == [.failed, .degraded])
    }

    @Test("is patient with a daemon that was told to be slow")
    func limits() {
        let limits = Health.Limits(maximumPoll: .seconds(600), discoveryInterval: .seconds(86_400))
        let found = complaints { signs in
            signs.limits = limits
            signs.tables[0].shards[0].page = ago(2000)
            signs.tables[0].listed = ago(100_000)
        }
        #expect(found.isEmpty)
    }

    @Test("suffers where a shard is read again and again and does not get on, though each page comes in time")
    func replayed() {
        let found = complaints { signs in
            signs.tables[0].shards[1].replay = VitalSigns.Replay(since: ago(300), times: 7, from: "after 5")
        }
        #expect(found.map(\.health) == [.degraded])
        #expect(found[0].reason.hasPrefix("shard b was read 7 times from after 5 on since "))
        #expect(found[0].reason.contains("(5 min), and does not get on: "))
    }
}
