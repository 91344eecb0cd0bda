import Journal
import StreamModel
import Testing

@testable import Dispatcher

@Suite("Who keeps the journal's file growing")
struct ReaderWatchTests {
    private let now = Sample.moment
    private var watch = ReaderWatch(patience: .seconds(30))

    private static func census(
        _ readers: [(pid: Int32, transaction: Int)], newest: Int = 100, used: Int = 1 << 20
    ) -> ReaderCensus {
        ReaderCensus(
            readers: readers.map { .init(pid: $0.pid, transaction: $0.transaction) }, newest: newest, usedBytes: used)
    }

    private static func judge(
        _ watch: inout ReaderWatch, _ census: ReaderCensus, _ now: Timestamp
    ) -> VitalSigns.SlowReader? {
        watch.judge(census, now: now) { "name of \($0)" }
    }

    @Test("One that reads the same state for half a minute while others are written is named, with what that costs")
    func slow() {
        var watch = watch
        #expect(Self.judge(&watch, Self.census([(7, 90)]), now) == nil)
        #expect(Self.judge(&watch, Self.census([(7, 90)], newest: 120), now + .seconds(29)) == nil)
        let found = Self.judge(&watch, Self.census([(7, 90)], newest: 130, used: 3 << 20), now + .seconds(30))
        #expect(
            found == VitalSigns.SlowReader(pid: 7, name: "name of 7", since: now, transactions: 40, grown: 2 << 20))
        #expect(Self.judge(&watch, Self.census([], newest: 140), now + .seconds(35)) == nil)
        #expect(Self.judge(&watch, Self.census([(7, 90)], newest: 140), now + .seconds(40)) == nil, "it begins anew")
    }

    @Test("One that reads on, state after state, is none; nor is one of the newest state, which keeps nothing")
    func quick() {
        var watch = watch
        for step in 0..<20 {
            let census = Self.census([(7, 80 + step), (8, 100)])
            #expect(Self.judge(&watch, census, now + .seconds(10 * step)) == nil)
        }
    }

    @Test("Of several the one is named that has read for longest")
    func longest() {
        var watch = watch
        _ = Self.judge(&watch, Self.census([(7, 90)]), now)
        _ = Self.judge(&watch, Self.census([(7, 90), (8, 80)]), now + .seconds(5))
        let found = Self.judge(&watch, Self.census([(8, 80), (7, 90)]), now + .seconds(60))
        #expect(found?.pid == 7)
    }

    @Test("It shows in the health of each table, and says which process and what to do")
    func health() throws {
        var signs = VitalSigns(
            written: now, worker: "here/7",
            tables: [VitalSigns.Table(name: Sample.table.text, listed: now, shards: [])])
        signs.slowReader = VitalSigns.SlowReader(
            pid: 4711, name: "shakectl, stopped", since: now + .seconds(-180), transactions: 900, grown: 25 << 20)
        let complaint = try #require(Health.complaints(of: Sample.table, signs, now: now).first)
        #expect(complaint.health == .degraded)
        #expect(complaint.reason.contains("process 4711 (shakectl, stopped)"))
        #expect(complaint.reason.contains("3 min") && complaint.reason.contains("25.0 MiB"))
        #expect(complaint.reason.contains("kill -CONT 4711"))
    }
}
