import Journal
import StreamModel
import Testing

@testable import Dispatcher

@Suite("Who keeps the journal's file growing")
struct ReaderWatchTests {
    private let now = Duration.seconds(5000)
    private var watch = ReaderWatch(patience: .seconds(30))

    private static func census(
        _ readers: [(pid: Int32, transaction: Int)], newest: Int = 100, used: Int = 1 << 20
    ) -> ReaderCensus {
        ReaderCensus(
            readers: readers.map { .init(pid: $0.pid, transaction: $0.transaction) }, newest: newest, usedBytes: used)
    }

    /// - Parameter ticks: of processor time that each has used so far; `nil`: nobody can see it.
    private static func judge(
        _ watch: inout ReaderWatch, _ census: ReaderCensus, _ now: Duration, ticks: UInt64? = 5,
        isStopped: Bool = false
    ) -> ReaderWatch.Slow? {
        watch.judge(census, uptime: now) { ProcessLook(name: "name of \($0)", isStopped: isStopped, ticks: ticks) }
    }

    @Test("One that reads the same state for half a minute, and does nothing, while others are written is named, with what that costs")
    func slow() {
        var watch = watch
        #expect(Self.judge(&watch, Self.census([(7, 90)]), now) == nil)
        #expect(Self.judge(&watch, Self.census([(7, 90)], newest: 120), now + .seconds(29)) == nil)
        let found = Self.judge(&watch, Self.census([(7, 90)], newest: 130, used: 3 << 20), now + .seconds(30))
        #expect(
            found
                == ReaderWatch.Slow(
                    reader: .init(pid: 7, transaction: 90), name: "name of 7", activity: .still, since: now,
                    transactions: 40, grown: 2 << 20))
        #expect(Self.judge(&watch, Self.census([], newest: 140), now + .seconds(35)) == nil)
        #expect(Self.judge(&watch, Self.census([(7, 90)], newest: 140), now + .seconds(40)) == nil, "it begins anew")
    }

    @Test("A backup that works is none, however long it takes; once it is stopped, or waits for half a minute, it is one")
    func backup() {
        var watch = watch
        for step in 0..<100 {
            let census = Self.census([(7, 90)], newest: 100 + step, used: (1 + step) << 20)
            #expect(Self.judge(&watch, census, now + .seconds(5 * step), ticks: UInt64(100 + step)) == nil)
        }
        let (census, later) = (Self.census([(7, 90)], newest: 300), now + .seconds(500))
        var stopped = watch
        #expect(Self.judge(&stopped, census, later, ticks: 300, isStopped: true)?.since == now)
        for step in 0..<6 { #expect(Self.judge(&watch, census, later + .seconds(5 * step), ticks: 300) == nil) }
        #expect(Self.judge(&watch, census, later + .seconds(30), ticks: 300)?.activity == .still)
    }

    @Test("One that does something now and then stays named until it works again without a break, or reads no more")
    func nowAndThen() {
        var watch = watch
        let census = Self.census([(7, 90)])
        func look(_ seconds: Int, ticks: UInt64) -> VitalSigns.SlowReader.Activity? {
            Self.judge(&watch, census, now + .seconds(seconds), ticks: ticks)?.activity
        }
        for second in stride(from: 0, to: 30, by: 5) { #expect(look(second, ticks: 5) == nil) }
        #expect(look(30, ticks: 5) == .still)
        // A tick at every other look, then at every fifth.
        for second in stride(from: 35, to: 300, by: 5) {
            #expect(look(second, ticks: 5 + UInt64(second / (second < 150 ? 10 : 25))) == .still, "\(second)")
        }
        for second in stride(from: 300, to: 330, by: 5) { #expect(look(second, ticks: UInt64(second)) == .still) }
        #expect(look(330, ticks: 330) == nil, "it has worked for half a minute")
        #expect(watch.isReading(.init(pid: 7, transaction: 90)), "and reads on")
        #expect(Self.judge(&watch, Self.census([]), now + .seconds(335)) == nil)
        #expect(!watch.isReading(.init(pid: 7, transaction: 90)))
    }

    @Test("One that works, or that nobody can see, is one where the file grows by a gigabyte", arguments: [true, false])
    func growth(isSeen: Bool) {
        var watch = watch
        func look(_ seconds: Int, _ used: Int) -> ReaderWatch.Slow? {
            Self.judge(
                &watch, Self.census([(7, 90)], used: used), now + .seconds(seconds),
                ticks: isSeen ? UInt64(seconds) : nil)
        }
        #expect(look(0, 1 << 20) == nil)
        #expect(look(3600, 1 << 30) == nil)
        let found = look(3605, (1 << 20) + (1 << 30) + 1)
        #expect(found?.activity == (isSeen ? .works : .unseen) && found?.grown == (1 << 30) + 1)
    }

    @Test("What a process does is read off its line, whatever it is called", arguments: ["S", "R", "D", "T", "t", "Z"])
    func line(state: String) throws {
        let found = try #require(
            ProcessLook(stat: "7 (a) T (b) \(state) 1 7 7 0 -1 4194304 90 0 0 0 12 30 0 0 20 0 1 0 5 6 7\n"))
        #expect(found.ticks == 42)
        #expect(found.isStopped == ["T", "t", "Z"].contains(state))
        #expect(found.name == (found.isStopped ? "a) T (b, stopped" : "a) T (b"))
        #expect(ProcessLook(stat: "7 (a) R 1 2") == nil)
        #expect(ProcessLook.at(-1).ticks == nil)
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
        #expect(found?.reader.pid == 7)
    }

    @Test("It shows in the health of each table, and says which process and what to do")
    func health() throws {
        let now = Sample.moment
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
        func reason(_ activity: VitalSigns.SlowReader.Activity) throws -> String {
            signs.slowReader?.activity = activity
            return try #require(Health.complaints(of: Sample.table, signs, now: now).first).reason
        }
        #expect(try reason(.stopped).contains("kill -CONT 4711"))
        #expect(try !reason(.works).contains("kill -CONT") && reason(.works).contains("it is at work, so wait for it"))
        #expect(try !reason(.still).contains("kill -CONT") && reason(.still).contains("it does next to nothing"))
        let unseen = try reason(.unseen)
        #expect(unseen.contains("can't be seen from here") && !unseen.contains("at work"))
        #expect(!unseen.contains("kill"), "its pid is another process's here")
    }
}
