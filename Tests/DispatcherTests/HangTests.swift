import Dispatcher
import StreamModel
import Testing

/// Whoever restarts a daemon that gives no sign of life must not restart one that is at work, and must one that hangs.
@Suite("A hang")
struct HangTests {
    private let now = Sample.moment

    private func ago(_ seconds: Int) -> Timestamp { now + .seconds(-seconds) }

    /// A daemon that follows two shards, but for what `body` changes.
    private func hang(_ body: (inout VitalSigns) -> Void = { _ in }) -> String? {
        var signs = VitalSigns(
            written: now, worker: "here/7",
            tables: [
                VitalSigns.Table(
                    name: "orders", listed: ago(20),
                    shards: [
                        VitalSigns.Shard(id: "a", taken: ago(90_000), page: ago(1), isInStep: true),
                        VitalSigns.Shard(id: "b", taken: ago(90_000), page: ago(2)),
                    ])
            ])
        body(&signs)
        return signs.hang
    }

    private func trouble(_ seconds: Int, lastTry: Int = 10) -> VitalSigns.Trouble {
        VitalSigns.Trouble(since: ago(seconds), last: ago(lastTry), tries: 3, cause: "throttled")
    }

    @Test("is none where pages come, empty ones too")
    func idle() { #expect(hang() == nil) }

    @Test("is none where there is nothing to read: all is paused, or no table matches")
    func nothing() {
        #expect(hang { $0.tables[0].shards = [] } == nil)
        #expect(hang { $0.tables = [] } == nil)
    }

    @Test("is a journal that answers no append for more than a minute")
    func journal() {
        #expect(hang { $0.journalBusySince = ago(59) } == nil)
        #expect(hang { $0.journalBusySince = ago(62) } == "the journal has taken nothing for 62 s")
    }

    @Test("is a target that does not answer for more than ten minutes")
    func target() {
        #expect(hang { $0.target.busySince = ago(599) } == nil)
        #expect(hang { $0.target.busySince = ago(700) } == "the target has not answered for 11 min")
    }

    @Test("is no target that refuses, for however long: another start would be refused as well")
    func refusing() {
        func signs(refused seconds: Int) -> String? {
            hang { signs in
                signs.target.busySince = ago(90_000)
                signs.target.trouble = "out of reach"
                signs.target.refused = ago(seconds)
                // And so nothing is read.
                for index in signs.tables[0].shards.indices { signs.tables[0].shards[index].page = ago(90_000) }
            }
        }
        #expect(signs(refused: 30) == nil)
        #expect(signs(refused: 700) == "the target has not answered for 11 min")
    }

    @Test("is none where one shard stands still and another is read")
    func oneStill() {
        #expect(
            hang { signs in
                signs.tables[0].shards[0].page = ago(9000)
                signs.read = ago(2)
            } == nil)
    }

    @Test("is a daemon none of whose shards was read for five minutes, and that has nothing to say of it")
    func allStill() {
        func both(_ seconds: Int, _ body: (inout VitalSigns) -> Void = { _ in }) -> String? {
            hang { signs in
                for index in signs.tables[0].shards.indices { signs.tables[0].shards[index].page = ago(seconds) }
                body(&signs)
            }
        }
        #expect(both(299) == nil)
        #expect(both(310) == "nothing was read for 5 min")
        #expect(both(310) { $0.tables[0].shards[0].trouble = trouble(310) } == "nothing was read for 5 min")
        #expect(both(310) { ($0.tables[0].scanMoved, $0.read) = (ago(1), ago(1)) } == nil)
        #expect(both(310) { $0.limits.page = .seconds(600) } == nil)
    }

    @Test("is no daemon that is throttled or out of touch everywhere, and tries again")
    func trying() {
        let found = hang { signs in
            for index in signs.tables[0].shards.indices {
                signs.tables[0].shards[index].page = ago(9000)
                signs.tables[0].shards[index].trouble = trouble(9000)
            }
            signs.tables[0].scanMoved = ago(9000)
            signs.tables[0].scan = trouble(9000)
        }
        #expect(found == nil)
    }

    @Test("begins also while all tell of trouble: then nothing is tried any more, not even in its turn")
    func whileInTrouble() {
        func tried(_ seconds: Int, by count: Int) -> String? {
            hang { signs in
                signs.tables[0].shards = (0..<count).map { index in
                    var shard = VitalSigns.Shard(id: "\(index)", taken: ago(90_000), page: ago(90_000))
                    shard.trouble = trouble(9000, lastTry: seconds)
                    return shard
                }
            }
        }
        #expect(tried(899, by: 2) == nil)
        #expect(tried(901, by: 2) == "nothing was read for 25 h")
        #expect(tried(5099, by: 130) == nil)
        #expect(tried(5101, by: 130) == "nothing was read for 25 h")
    }

    @Test("is no source that accepts calls and never answers them: whoever has failed of late is at work")
    func silentSource() {
        func many(failed seconds: Int?) -> String? {
            hang { signs in
                signs.tables[0].shards = (0..<151).map { index in
                    VitalSigns.Shard(
                        id: "\(index)", taken: ago(90_000), page: ago(9000), tryFailed: seconds.map { ago($0) })
                }
            }
        }
        #expect(many(failed: 20) == nil)
        #expect(many(failed: 299) == nil)
        #expect(many(failed: nil) == "nothing was read for 2 h")
    }

    @Test("is nobody who waits behind calls that fail, for as long as those may take, which is a bound")
    func waitingInLine() {
        func waiting(_ seconds: Int, behind failing: Int) -> String? {
            hang { signs in
                signs.tables[0].shards = (0..<failing + 20).map { index in
                    VitalSigns.Shard(
                        id: "\(index)", taken: ago(90_000), page: ago(seconds),
                        tryFailed: index < failing ? ago(1) : nil)
                }
            }
        }
        #expect(waiting(299, behind: 63) == nil)
        #expect(waiting(310, behind: 63) == "nothing was read for 5 min", "one call of 64 was free")
        #expect(waiting(2699, behind: 64) == nil)
        #expect(waiting(2710, behind: 64) == "nothing was read for 45 min")
        #expect(waiting(5099, behind: 130) == nil)
    }

    @Test("is not hidden by calls that failed once, long ago")
    func longOver() {
        func after(_ seconds: Int) -> String? {
            hang { signs in
                signs.tables[0].shards = (0..<400).map { index in
                    VitalSigns.Shard(
                        id: "\(index)", taken: ago(90_000), page: ago(seconds + 10), tryFailed: ago(seconds))
                }
            }
        }
        #expect(after(899) == nil)
        #expect(after(910) == "nothing was read for 15 min")
    }

    @Test("is not hidden by a table that is begun again and again, and refused each time")
    func begunAgain() {
        let found = hang { signs in
            for index in signs.tables[0].shards.indices { signs.tables[0].shards[index].page = ago(310) }
            signs.read = ago(310)
            signs.tables.append(
                VitalSigns.Table(
                    name: "refused", scanMoved: ago(1), shards: [VitalSigns.Shard(id: "c", taken: ago(1))]))
        }
        #expect(found == "nothing was read for 5 min")
    }

    @Test("of all others is not hidden by one table that is refused for ever; by a scan, which may take all calls, for a while")
    func hidden() {
        for (isScanned, seconds) in [(false, 300), (true, 2700)] {
            #expect(hidden(isScanned, seconds - 1) == nil)
            #expect(hidden(isScanned, seconds + 10)?.hasPrefix("nothing was read for") == true)
        }
    }

    private func hidden(_ isScanned: Bool, _ seconds: Int) -> String? {
        hang { signs in
            for index in signs.tables[0].shards.indices { signs.tables[0].shards[index].page = ago(seconds) }
            var other = VitalSigns.Table(name: "refused")
            if isScanned {
                (other.scanMoved, other.scanTryFailed) = (ago(9000), ago(1))
            } else {
                other.shards = [VitalSigns.Shard(id: "c", taken: ago(9000), tryFailed: ago(1))]
            }
            signs.tables.append(other)
        }
    }

    @Test("of the journal shows in the table's health")
    func health() {
        let signs = VitalSigns(
            written: now, worker: "here/7", journalBusySince: ago(62), tables: [VitalSigns.Table(name: "orders")])
        let found = Health.complaints(of: TableName("orders"), signs, now: now)
        #expect(found == [Health.Complaint(.failed, "the journal has taken nothing for 62 s: look at its disk")])
    }
}
