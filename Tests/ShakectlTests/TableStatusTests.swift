import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The status of a table")
struct TableStatusTests {
    private let fault = Checkpoint.Fault(
        code: "Throttled", message: "slow down", time: Sample.time("2026-11-23T16:29:59Z"))

    private func status(
        _ checkpoints: [Checkpoint], table: TableState? = nil, daemon: DaemonPresence = Sample.running
    ) throws -> TableStatus {
        let all = TableStatus.all(
            tables: table.map { [$0] } ?? [], checkpoints: checkpoints, daemon: daemon, now: Sample.now)
        try #require(all.count == 1)
        return all[0]
    }

    private func table(_ phase: Phase, fault: Checkpoint.Fault? = nil) -> TableState {
        var state = TableState(table: TableName("orders"))
        state.phase = phase
        state.stream = Sample.stream
        state.updated = Sample.time("2026-11-23T16:00:00Z")
        state.lastFault = fault
        return state
    }

    @Test("A table that is followed is ok, and its shards are counted by status")
    func followed() throws {
        let status = try status(
            [
                Sample.shard("a", .done, records: 5), Sample.shard("b", made: Sample.now, records: 7),
                Sample.shard("c", .waitingForParent),
            ], table: table(.incrSync))
        #expect(status.health == .ok)
        #expect(status.reason == "following 1 shard")
        #expect(status.records == 12)
        #expect(status.shards == [.done: 1, .inProcessing: 1, .waitingForParent: 1])
        #expect(status.lag == .zero)
        #expect(status.phase == .incrSync)
        #expect(status.stream == Sample.stream)
        #expect(status.lastError == nil)
    }

    @Test("Without a daemon a table is stopped, whatever else is true")
    func stopped() throws {
        let status = try status([Sample.shard("a", fault: fault)], daemon: .notRunning("none has run yet"))
        #expect(status.health == .stopped)
        #expect(status.reason == "no daemon is running; none has run yet")
        #expect(status.lastError == "Throttled: slow down (shard a, 2026-11-23T16:29:59Z)")
    }

    @Test("A table that the running daemon was not started with is stopped, and has no lag that would only grow")
    func leftOut() throws {
        let late = Sample.shard("a", made: Sample.time("2026-11-23T03:00:00Z"))
        func status(
            _ names: [String], isUp: Bool? = true, removed: Timestamp? = nil
        ) throws -> TableStatus {
            let signs = VitalSigns(
                written: Sample.now, worker: "alpha/7", isUp: isUp, tables: names.map { VitalSigns.Table(name: $0) })
            var state = table(.incrSync)
            state.removed = removed
            let all = TableStatus.all(
                tables: [state], checkpoints: [late], daemon: .running("pid 7 on alpha", signs), now: Sample.now)
            return try #require(all.first { $0.table.text == "orders" })
        }
        let left = try status(["users"])
        #expect(left.health == .stopped && left.lag == nil)
        #expect(
            left.reason == "the daemon that runs (alpha/7) does not follow it: the table is not among those that it was started with")
        #expect(left.notes.map(\.text).contains(left.reason), "no line about the daemon says so")
        #expect(try status(["orders", "users"]).health == .degraded)
        #expect(try status(["orders", "users"]).lag == .seconds(13 * 3600 + 1800))
        #expect(try status([], isUp: false).health == .degraded, "it may have yet to be found")
        #expect(try status(["users"], removed: Sample.now).health == .ok, "there is nothing to follow")
    }

    @Test("A shard whose last event is an error degrades its table; once it goes on, only the last error remains")
    func degraded() throws {
        let stuck = Sample.shard("a", updated: fault.time, fault: fault)
        #expect(try status([stuck]).health == .degraded)
        #expect(try status([stuck]).reason == "Throttled: slow down (shard a, 2026-11-23T16:29:59Z)")
        let recovered = Sample.shard("a", updated: Sample.now, fault: fault)
        #expect(try status([recovered]).health == .ok)
        #expect(try status([recovered]).lastError != nil)
    }

    @Test("An error of the whole table fails it while none of its shards is read, until one goes on")
    func failed() throws {
        let failed = try status([], table: table(.incrSync, fault: fault))
        #expect(failed.health == .failed)
        #expect(failed.reason == "Throttled: slow down (2026-11-23T16:29:59Z)")
        let recovered = try status([Sample.shard("a", updated: Sample.now)], table: table(.incrSync, fault: fault))
        #expect(recovered.health == .ok)
    }

    @Test("An order to act is the last error for as long as it stands", arguments: ["RangeLost", "TooManyRefused"])
    func order(code: String) throws {
        let order = Checkpoint.Fault(code: code, message: "do so", time: fault.time, isRetried: false)
        let table = table(.incrSync, fault: order)
        #expect(try status([], table: table).lastError == "\(code): do so (2026-11-23T16:29:59Z)")
        let before = Sample.time("2026-11-23T16:10:00Z")
        let older = Sample.shard(
            "a", updated: before, fault: Checkpoint.Fault(code: "Throttled", message: "slow down", time: before))
        #expect(try status([older], table: table).lastError?.hasPrefix(code) == true)
        #expect(try status([Sample.shard("a", updated: Sample.now)], table: table).lastError == nil)
        #expect(
            try status([Sample.shard("a", updated: Sample.now, fault: fault)], table: table).lastError
                == "Throttled: slow down (shard a, 2026-11-23T16:29:59Z)")
    }

    @Test("A table that is gone is no trouble, and its status says what is left of it unread")
    func gone() throws {
        var state = table(.incrSync)
        state.removed = Sample.time("2026-11-23T15:00:00Z")
        let late = Sample.shard("a", made: Sample.time("2026-11-20T03:00:00Z"))
        let status = try status([late, Sample.shard("b", .done)], table: state)
        #expect(status.health == .ok, "it is not behind")
        #expect(
            status.reason
                == "the source has it no more, as was seen 2026-11-23 15:00:00; what is known of it stays; 1 shard not read to the end, "
                + "and what was left in there is gone with it")
        let whole = try self.status([Sample.shard("b", .done)], table: state)
        #expect(whole.reason.hasSuffix("what is known of it stays, and nothing is to be done"))
    }

    @Test("A table of a pattern is not stopped before the account's tables are listed; that they can't be is said")
    func awaited() throws {
        func status(
            _ unlisted: VitalSigns.Unlisted?, follows: [String] = ["users"], isUp: Bool = true
        ) throws -> TableStatus {
            let signs = VitalSigns(
                written: Sample.now, worker: "alpha/7", isUp: isUp, unlisted: unlisted,
                tables: follows.map { VitalSigns.Table(name: $0) })
            let all = TableStatus.all(
                tables: [table(.incrSync)], checkpoints: [Sample.shard("a", made: Sample.now)],
                daemon: .running("pid 7 on alpha", signs), now: Sample.now)
            return try #require(all.first { $0.table.text == "orders" })
        }
        let just = VitalSigns.Unlisted(since: Sample.now + .seconds(-5))
        #expect(try status(just).health == .ok)
        #expect(try status(just).reason.hasPrefix("the daemon has just begun"))
        let trouble = VitalSigns.Trouble(since: Sample.now + .seconds(-60), tries: 4, cause: "throttled")
        let refused = try status(VitalSigns.Unlisted(since: Sample.now + .seconds(-90), trouble: trouble))
        #expect(refused.health == .degraded && refused.reason.hasPrefix("the list of the account's tables is tried again"))
        let late = try status(VitalSigns.Unlisted(since: Sample.now + .seconds(-240)))
        #expect(late.health == .degraded && late.reason.contains("have not been listed for 4 min"))
        #expect(try status(nil).health == .stopped, "it was taken out")
        #expect(try status(nil, isUp: false).health == .stopped, "the others are listed, and not followed yet")
    }

    @Test("A table that nears the end of what the stream keeps is degraded")
    func late() throws {
        let late = Sample.shard("a", made: Sample.time("2026-11-23T03:00:00Z"))
        #expect(try status([late]).health == .degraded)
        #expect(try status([late]).reason == "13 h 30 min behind: the stream keeps its records for 24 h")
    }

    @Test("A full sync says how far it is")
    func fullSync() throws {
        var state = table(.fullSync)
        state.reason = "first run"
        state.segments = (0..<3).map { number in
            TableState.Segment(
                segment: UInt32(number), totalSegments: 8, lastEvaluatedKey: nil, isFinished: number == 0, items: 500,
                bytes: 1)
        }
        #expect(try status([], table: state).reason == "full sync (first run): 1,500 items, 1 of 8 segments finished")
    }

    @Test("What only a running daemon knows of a scan is said with it: rates, share, time left")
    func scanning() throws {
        let progress = ScanProgress(
            items: 2500, bytes: 1 << 20, estimatedItems: 10_000, segmentsFinished: 1, totalSegments: 8, readers: 4,
            rates: .init(items: 250, bytes: 65_536, pages: 2.5, capacity: 320))
        let signs = VitalSigns(
            written: Sample.now, worker: "alpha/7", tables: [VitalSigns.Table(name: "orders", progress: progress)])
        let status = try status([], table: table(.fullSync), daemon: .running("pid 7 on alpha", signs))
        #expect(
            status.reason.hasSuffix(
                "2,500 of ~10,000 items, 25 %, 250/s, 30 s left, 1 of 8 segments finished, 4 at a time"))
        #expect(
            status.json.line.hasSuffix(
                #"""
                "scan":{"items":2500,"bytes":1048576,"estimated_items":10000,"percent":25,"segments":8,"segments_finished":1,\#
                "readers":4,"items_per_second":250,"bytes_per_second":65536,"pages_per_second":2.5,\#
                "capacity_per_second":320,"seconds_left":30}}
                """#))
    }

    @Test("A table that only its shards tell of is shown too")
    func shardsOnly() throws {
        let all = TableStatus.all(
            tables: [table(.incrSync)], checkpoints: [Sample.shard("x", table: "users")], daemon: Sample.running,
            now: Sample.now)
        #expect(all.map(\.table.text) == ["orders", "users"])
        #expect(all[1].stream == Sample.stream)
    }

    @Test("A table that only the daemon tells of, since it is being created, is shown and degraded")
    func creating() throws {
        let trouble = VitalSigns.Trouble(since: Sample.now, tries: 2, cause: "it is being created")
        let signs = VitalSigns(
            written: Sample.now, worker: "alpha/7", tables: [VitalSigns.Table(name: "orders", trouble: trouble)])
        let status = try status([], daemon: .running("pid 7 on alpha", signs))
        #expect(status.table.text == "orders" && status.phase == nil)
        #expect(status.health == .degraded)
        #expect(status.reason.contains("it is being created"))
    }

    @Test("The JSON has the promised fields, in order, and the statuses that there are")
    func json() throws {
        let status = try status([Sample.shard("a", made: Sample.now, records: 7)], table: table(.incrSync))
        #expect(
            status.json.line == """
                {"table":"orders","stream":"\(Sample.stream)","phase":"incr_sync","health":"ok","reason":"following 1 \
                shard","lag_seconds":0,"records":7,"shards":{"in_processing":1},\
                "last_error":null,"losses":[],"pauses":[],"dead_letters":0,"listed_seconds":null,\
                "read_seconds":null,"acknowledged_seconds":null,"scan":null}
                """)
    }

    @Test("The text is aligned, with the reason below each table")
    func text() throws {
        let status = try status([Sample.shard("a", made: Sample.now, records: 1234)], table: table(.incrSync))
        let view = StatusView(tables: [status], daemon: Sample.running, journal: "j", target: "sqlite:/a")
        #expect(
            view.lines(.plain) == [
                "daemon: running, pid 7 on alpha", "target: sqlite:/a", "",
                "TABLE   PHASE      HEALTH  LAG  RECORDS  SHARDS",
                "orders  incr_sync  ok      0 s    1,234  1 in_processing",
                "  following 1 shard",
            ])
    }

    @Test("An empty journal says so, and what to do")
    func empty() {
        let view = StatusView(tables: [], daemon: .notRunning("none has run yet"), journal: "j", target: "")
        #expect(view.json.isEmpty)
        #expect(view.lines(.plain)[1] == "The journal j knows no table yet.")
    }
}
