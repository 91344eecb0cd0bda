import Dispatcher
import StreamModel
import Testing

@testable import shakectl

@Suite("What a service manager is told")
struct ServiceNoticesTests {
    private typealias Message = ServiceNotices.Message

    private func signs(up: Bool = true, tables: [VitalSigns.Table]? = nil) -> VitalSigns {
        VitalSigns(
            written: Sample.now, worker: "here/7", isUp: up, tables: tables ?? [VitalSigns.Table(name: "orders")])
    }

    /// What is said, and took as sent.
    private func tell(
        _ notices: inout ServiceNotices, _ signs: VitalSigns, after seconds: Int = 2
    ) -> ServiceNotices.Message? {
        let message = notices.message(of: signs, uptime: .seconds(1000 + seconds))
        if let message { notices.sent(message) }
        return message
    }

    private var new: ServiceNotices { ServiceNotices(began: .seconds(1000)) }

    @Test("It is up once a table is followed, not before, and that is said once")
    func up() {
        var notices = new
        #expect(tell(&notices, signs(up: false))?.text == "STATUS=starting to follow orders")
        #expect(tell(&notices, signs(up: false)) == nil)
        #expect(tell(&notices, signs())?.text == "READY=1\nSTATUS=following orders\nWATCHDOG=1")
        #expect(tell(&notices, signs())?.text == "WATCHDOG=1")
    }

    @Test("It stays up, whatever becomes of its tables")
    func stays() {
        var notices = new
        _ = tell(&notices, signs())
        #expect(tell(&notices, signs(up: false))?.text == "WATCHDOG=1")
    }

    @Test("A daemon that waits for something longer than a minute is up, and says what it waits for")
    func patience() {
        var notices = new
        var table = VitalSigns.Table(name: "orders")
        table.trouble = VitalSigns.Trouble(
            since: Sample.now, tries: 1, cause: "its stream is being enabled", needsOperator: true)
        #expect(tell(&notices, signs(up: false, tables: [table]), after: 59)?.phase == nil)
        let message = tell(&notices, signs(up: false, tables: [table]), after: 60)
        #expect(message?.phase == .up)
        #expect(message?.lives == true)
        #expect(message?.status == "following orders; failed: 1 of 1, orders: its stream is being enabled")
    }

    @Test("What could not be sent is said again")
    func again() {
        var notices = new
        let lost = notices.message(of: signs(), uptime: .seconds(1002))
        #expect(lost?.phase == .up)
        #expect(tell(&notices, signs(), after: 4) == lost)
        #expect(tell(&notices, signs(), after: 6)?.text == "WATCHDOG=1")
    }

    @Test("A hang starves the watchdog and is said once; whoever gets on again feeds it again")
    func hang() {
        var notices = new
        _ = tell(&notices, signs())
        var hanging = signs()
        hanging.journalBusySince = Sample.now + .seconds(-70)
        #expect(tell(&notices, hanging)?.text == "STATUS=hangs: the journal has taken nothing for 70 s")
        #expect(tell(&notices, hanging) == nil)
        #expect(tell(&notices, signs())?.text == "STATUS=following orders\nWATCHDOG=1")
    }

    @Test("Trouble that is tried again feeds the watchdog, and stands in the line")
    func trouble() {
        var notices = new
        _ = tell(&notices, signs())
        var table = VitalSigns.Table(name: "users")
        table.listing = VitalSigns.Trouble(
            since: Sample.now + .seconds(-5), tries: 2, cause: "throttled\nby the service")
        var troubled = signs(tables: [VitalSigns.Table(name: "orders", scanMoved: Sample.now), table])
        troubled.target.acknowledged = Sample.now
        let message = tell(&notices, troubled)
        #expect(message?.lives == true)
        #expect(message?.phase == nil)
        #expect(
            message?.text.hasPrefix(
                "STATUS=following 2 tables, scanning 1 of them; degraded: 1 of 2, users: the list of shards is tried again since"
            )
                == true)
        #expect(message?.text.hasSuffix("throttled by the service\nWATCHDOG=1") == true)
    }

    @Test("That the same goes on is said now and then, and what changes at once")
    func substance() {
        var notices = new
        func trouble(since seconds: Int, tries: Int, _ cause: String = "throttled", tables: Int = 1) -> VitalSigns {
            var table = VitalSigns.Table(name: "users")
            table.listing = VitalSigns.Trouble(since: Sample.now + .seconds(-seconds), tries: tries, cause: cause)
            var all = [table, VitalSigns.Table(name: "orders")]
            if tables > 1 { all[1].listing = table.listing }
            return signs(tables: all)
        }
        // It began at one moment, of which the clock goes on.
        func later(_ seconds: Int, tries: Int, _ cause: String = "throttled", tables: Int = 1) -> VitalSigns {
            var later = trouble(since: 5, tries: tries, cause, tables: tables)
            later.written = Sample.now + .seconds(seconds)
            return later
        }
        #expect(tell(&notices, later(0, tries: 2))?.status?.contains("(5 s, 2 times)") == true)
        #expect(tell(&notices, later(2, tries: 3))?.status == nil)
        #expect(tell(&notices, later(100, tries: 50))?.status == nil)
        #expect(tell(&notices, later(116, tries: 60))?.status?.contains("(2 min, 60 times)") == true)
        #expect(tell(&notices, later(118, tries: 61, "no route"))?.status?.contains("no route") == true)
        #expect(tell(&notices, later(118, tries: 61, "no route", tables: 2))?.status?.contains("2 of 2") == true)
    }

    @Test("A pattern that no table matches yet is followed all the same")
    func none() {
        var notices = new
        #expect(tell(&notices, signs(up: false, tables: []))?.text == "STATUS=starting")
        #expect(tell(&notices, signs(tables: []))?.text == "READY=1\nSTATUS=no table matches yet\nWATCHDOG=1")
    }

    @Test("Once it is to stop it says so, and feeds nothing any more; why it ended is said last")
    func stopping() throws {
        var notices = new
        _ = tell(&notices, signs())
        let farewell = try #require(notices.farewell("stopping: finishing what is in flight"))
        #expect(farewell.text == "STOPPING=1\nSTATUS=stopping: finishing what is in flight")
        notices.sent(farewell)
        #expect(tell(&notices, signs()) == nil)
        let end = try #require(notices.farewell("ended: sigterm"))
        #expect(end.text == "STATUS=ended: sigterm")
        notices.sent(end)
        #expect(notices.farewell("ended: sigterm") == nil)
    }
}
