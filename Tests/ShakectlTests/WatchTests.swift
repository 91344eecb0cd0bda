import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("Watching the status")
struct WatchTests {
    private func table(
        _ name: String = "orders", records: UInt64 = 0, at now: Timestamp = Sample.now, made: Timestamp? = Sample.now,
        fault: String? = nil, daemon: DaemonPresence = Sample.running
    ) -> TableStatus {
        let fault = fault.map { Checkpoint.Fault(code: "Throttled", message: $0, time: now, isRetried: true) }
        let shard = Sample.shard("a", updated: now, made: made, records: records, table: name, fault: fault)
        var state = TableState(table: TableName(name))
        state.phase = .incrSync
        state.stream = Sample.stream
        return TableStatus.all(tables: [state], checkpoints: [shard], daemon: daemon, now: now)[0]
    }

    private func frame(_ tables: [TableStatus], trends: [TableName: TableTrend] = [:]) -> WatchFrame {
        WatchFrame(
            view: StatusView(tables: tables, daemon: Sample.running, journal: "/j", target: "sqlite:/r.db"),
            trends: trends, now: Sample.now, since: Sample.now + .seconds(-64), interval: .seconds(2))
    }

    // MARK: Trends

    @Test("The rate is of the last ten seconds")
    func rate() {
        var trend = TableTrend()
        #expect(trend.rate == nil)
        for second in 0..<20 {
            // Nothing for a while, and then a hundred a second.
            let records = UInt64(max(0, second - 9)) * 100
            trend.add(table(records: records, at: Sample.now + .seconds(second)))
        }
        #expect(trend.rate == 100)
    }

    @Test("However long it lasts, a trend has few steps, and each record is in one of them")
    func bounded() {
        var trend = TableTrend()
        for look in 0...1000 { trend.add(table(records: UInt64(look) * 3, at: Sample.now + .seconds(look * 2))) }
        #expect(trend.steps.count <= TableTrend.capacity)
        #expect(trend.steps.count >= TableTrend.capacity / 2)
        #expect(trend.steps.reduce(0) { $0 + $1.gained } == 3000)
        #expect(trend.steps.reduce(0) { $0 + $1.seconds } == 2000)
        #expect(trend.steps.allSatisfy { $0.rate == 1.5 })
    }

    @Test("A clock that is set back, or stands, makes no rate of its own")
    func clock() {
        var trend = TableTrend()
        trend.add(table(records: 5, at: Sample.now))
        trend.add(table(records: 9, at: Sample.now))
        #expect(trend.rate == nil)
        trend.add(table(records: 9, at: Sample.now + .seconds(-3600)))
        trend.add(table(records: 19, at: Sample.now + .seconds(-3590)))
        #expect(trend.rate == 1)
    }

    @Test("A step's lag is the worst in it")
    func lag() {
        var trend = TableTrend()
        for look in 0..<40 {
            let now = Sample.now + .seconds(look)
            trend.add(table(at: now, made: look == 20 ? now + .seconds(-500) : now))
        }
        #expect(trend.steps.compactMap(\.lag).max() == .seconds(500))
    }

    @Test(
        "Rates are spoken",
        arguments: [
            (nil, "-"), (0, "0/s"), (1.5, "1.5/s"), (2, "2/s"), (12_345.4, "12,345/s"),
        ] as [(Double?, String)])
    func spoken(rate: Double?, text: String) { #expect(Spoken.rate(rate) == text) }

    // MARK: The screen

    private static let sizes = [20, 40, 60, 80, 120, 200].flatMap { width in
        [1, 2, 5, 9, 10, 24, 60].map { (width, $0) }
    }

    @Test("A frame fits whatever screen it is for, with any names and reasons", arguments: WatchTests.sizes)
    func fits(width: Int, height: Int) {
        let long = String(repeating: "the target 日本 has acknowledged nothing ", count: 9)
        let tables = [
            table("a", records: 12_345_678), table(String(repeating: "n", count: 255), fault: long),
            table("c", fault: "\u{1B}[2J\n\(long)"),
        ]
        for palette in [Palette.plain, Palette(isOn: true)] {
            let lines = frame(tables).lines(width: width, height: height, palette, .unicode)
            #expect(lines.count <= height)
            for line in lines {
                let shown = Self.withoutColours(line)
                #expect(TerminalText.width(shown) <= width, "\(shown)")
                #expect(!shown.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, "\(shown)")
            }
        }
    }

    private static func withoutColours(_ line: String) -> String {
        line.replacing(/\u{1B}\[[0-9]+m/, with: "")
    }

    @Test("What is cut off is said, and what is ill is not cut off")
    func cut() {
        let tables = (10..<40).map { table("table-\($0)", fault: $0 == 37 ? "slow down" : nil) }
        let lines = frame(tables).lines(width: 100, height: 12, .plain, .unicode)
        #expect(lines.count <= 12)
        #expect(lines[0].hasPrefix("30 tables: 29 ok, 1 degraded, watched for 1 min 4 s"))
        #expect(lines.contains { $0.hasPrefix("table-37  degraded") })
        #expect(lines.contains { $0.contains("more tables, all ok") })
    }

    @Test("A wide screen has each column, a narrow one those that say whether it is well")
    func columns() throws {
        var trend = TableTrend()
        for second in 0..<4 { trend.add(table(records: UInt64(second * second), at: Sample.now + .seconds(second))) }
        let one = frame([table(records: 12)], trends: [TableName("orders"): trend])
        let wide = one.lines(width: 120, height: 24, .plain, .unicode)
        #expect(wide.contains { $0.contains("RATE SO FAR") && $0.hasSuffix("SHARDS") })
        #expect(wide.contains { $0.contains("3/s  ▃▆█") && $0.hasSuffix("1 in_processing") }, "\(wide)")
        #expect(wide.contains { $0 == "  following 1 shard" })
        #expect(wide.last == "q leaves; looked at every 2 s")
        let narrow = one.lines(width: 30, height: 24, .plain, .unicode)
        let heading = try #require(narrow.first { $0.hasPrefix("TABLE") })
        #expect(heading.contains("HEALTH") && heading.contains("LAG") && !heading.contains("PHASE"))
    }

    @Test("A journal without a table says so")
    func empty() {
        #expect(frame([]).lines(width: 80, height: 24, .plain, .unicode).contains { $0.contains("knows no table yet") })
    }

    // MARK: Lines

    @Test("Each table has a line at first, and then those that have changed")
    func changes() {
        var lines = WatchLines()
        #expect(lines.changed([table("a"), table("b")]).map(\.table.text) == ["a", "b"])
        let later = Sample.now + .seconds(2)
        #expect(lines.changed([table("a", at: later), table("b", at: later)]).isEmpty, "time is no change")
        #expect(lines.changed([table("a", records: 1), table("b")]).map(\.table.text) == ["a"])
        #expect(lines.changed([table("a", records: 1), table("b", fault: "slow")]).map(\.table.text) == ["b"])
        #expect(lines.changed([table("a", records: 1), table("b", fault: "slow")]).isEmpty)
    }

    @Test("How long something has lasted is no change by itself")
    func ages() {
        func behind(_ seconds: Int) -> TableStatus {
            table(made: Sample.now + .seconds(-seconds), daemon: Sample.running)
        }
        var lines = WatchLines()
        _ = lines.changed([behind(100)])
        #expect(lines.changed([behind(160)]).isEmpty)
        #expect(lines.changed([table(daemon: .notRunning("it ended 5 min ago"))]).count == 1)
        #expect(lines.changed([table(daemon: .notRunning("it ended 6 min ago"))]).isEmpty)
    }

    @Test("A line is one line, and its JSON is that of `status` with a time and a rate")
    func line() {
        let ill = table(records: 7, fault: "slow\ndown")
        let text = WatchLines.line(ill, rate: 3.5, .plain)
        let facts = "orders  degraded  incr_sync  lag 0 s  7 records  3.5/s  1 in_processing"
        #expect(text.hasPrefix("2026-11-23 16:30:00.000  \(facts)"))
        #expect(!text.contains("\n"))
        let json = WatchLines.json(ill, rate: 3.5).line
        #expect(json.hasPrefix(#"{"time":"2026-11-23T16:30:00"#))
        #expect(json.contains(#""table":"orders""#) && json.hasSuffix(#""records_per_second":3.5}"#))
    }
}
