import CDispatch
import Dispatch
import Dispatcher
import Foundation
import Journal
import Prometheus
import StatusServer
import StreamModel
import Synchronization
import Testing

@testable import shakectl

@Suite("What a daemon answers over HTTP")
struct DaemonAnswersTests {
    private func statuses(_ checkpoints: [Checkpoint], _ tables: [TableState] = []) -> [TableStatus] {
        TableStatus.all(tables: tables, checkpoints: checkpoints, daemon: Sample.running, now: Sample.now)
    }

    @Test("It lives while it says how it fares, and until it has begun to")
    func liveness() {
        #expect(DaemonAnswers.liveness(silentFor: nil, hang: nil).isGood)
        #expect(DaemonAnswers.liveness(silentFor: .seconds(20), hang: nil).isGood)
        let dead = DaemonAnswers.liveness(silentFor: .seconds(21), hang: nil)
        #expect(!dead.isGood)
        #expect(dead.lines.count == 1 && dead.lines[0].hasPrefix(#"{"live":false,"reason":"it has not said"#))
    }

    @Test("What a service manager ends, a probe ends as well")
    func hang() {
        let dead = DaemonAnswers.liveness(silentFor: .seconds(1), hang: "the journal has taken nothing for 62 s")
        #expect(!dead.isGood)
        #expect(
            dead.lines == [
                #"{"live":false,"reason":"it hangs: the journal has taken nothing for 62 s; look at its log, and start it again"}"#
            ])
    }

    @Test("However long an answer of the API takes, a probe and a scrape are answered", .timeLimit(.minutes(1)))
    func besideALongAnswer() async throws {
        let path = NSTemporaryDirectory() + "shake-answers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = RunStarted(role: "daemon", version: "1", host: "tests", pid: 1)
        let journal = try Journal.open(path, .daemon(run), mapSize: 16 << 20)
        let signs = LatestSigns()
        signs.note(VitalSigns(written: .now(), worker: "here/7", tables: []))
        let answers = DaemonAnswers(
            journal, signs, Registry(MetricCatalogue.declarations), who: "pid 7", heldBytes: { (0, 1) })
        let (begun, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let long = Task { await answers.hold(begun, end) }
        await Task.detached { begun.wait() }.value
        #expect(await answers.liveness().isGood)
        #expect(await answers.readiness().lines == [#"{"ready":false,"reason":"no table is followed yet"}"#])
        #expect(try await answers.recentStatus().isEmpty)
        #expect(try await answers.metrics().contains("shake_journal_size_bytes"))
        end.signal()
        await long.value
        await journal.close(reason: "test")
    }

    @Test("Scrapes that come at once share one reading of the system, off the daemon's threads")
    func sharedReading() async throws {
        let path = NSTemporaryDirectory() + "shake-answers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = RunStarted(role: "daemon", version: "1", host: "tests", pid: 1)
        let journal = try Journal.open(path, .daemon(run), mapSize: 16 << 20)
        let readings = Mutex<[String]>([])
        let answers = DaemonAnswers(
            journal, LatestSigns(), Registry(MetricCatalogue.declarations), who: "pid 7", heldBytes: { (0, 1) },
            process: {
                let queue = unsafe String(cString: dispatch_queue_get_label(nil))
                readings.withLock { $0.append(queue) }
                return ProcessFacts(residentBytes: 4242)
            })
        let texts = try await withThrowingTaskGroup(of: String.self) { scrapes in
            for _ in 0..<8 { scrapes.addTask { try await answers.metrics() } }
            return try await scrapes.reduce(into: []) { $0.append($1) }
        }
        #expect(texts.allSatisfy { $0.contains("process_resident_memory_bytes 4242\n") })
        let queues = readings.withLock { $0 }
        #expect(queues == ["shake.http.status"])
        await journal.close(reason: "test")
    }

    @Test("It is ready where each table is ok, and says of each one why")
    func readiness() {
        let fault = Checkpoint.Fault(code: "Throttled", message: "slow down", time: Sample.now)
        let good = statuses([Sample.shard("a", made: Sample.now)])
        #expect(DaemonAnswers.readiness(good).isGood)
        #expect(
            DaemonAnswers.readiness(good).lines == [
                #"{"ready":true,"table":"orders","health":"ok","reason":"following 1 shard"}"#
            ])
        let bad = statuses([Sample.shard("a", updated: fault.time, fault: fault)])
        let verdict = DaemonAnswers.readiness(bad)
        #expect(!verdict.isGood)
        #expect(
            verdict.lines.first?.hasPrefix(#"{"ready":false,"table":"orders","health":"degraded","reason":"Throttled"#)
                == true)
        #expect(!DaemonAnswers.readiness([]).isGood)
    }

    @Test("What isn't there is not found, what fails is the daemon's")
    func refusals() {
        #expect(DaemonAnswers.status(of: .usage("no")) == 404)
        #expect(DaemonAnswers.status(of: .journal(.noSuchShard(part: "a", known: 1))) == 404)
        #expect(DaemonAnswers.status(of: .journal(.closed(path: "j"))) == 503)
    }

    private func metrics(_ tables: [TableStatus], _ signs: VitalSigns? = nil) -> [String] {
        let view = MetricsView(
            status: StatusView(tables: tables, daemon: Sample.running, journal: "j", target: "t"), signs: signs,
            heldBytes: (5, 10), journal: (4096, 12), process: ProcessFacts(), started: Sample.now, now: Sample.now)
        return Exposition.text(view.families).split(separator: "\n").map(String.init)
    }

    @Test("A table has one health, a count for each status, and no label for its shards")
    func metrics() {
        let lines = metrics(statuses([Sample.shard("a", .done), Sample.shard("b", made: Sample.now)]))
        #expect(lines.contains(#"shake_table_health{table="orders",health="ok"} 1"#))
        #expect(lines.contains(#"shake_table_health{table="orders",health="failed"} 0"#))
        #expect(lines.contains(#"shake_shards{table="orders",status="done"} 1"#))
        #expect(lines.contains(#"shake_shards{table="orders",status="lost"} 0"#))
        #expect(lines.contains(#"shake_lag_seconds{table="orders"} 0"#))
        #expect(lines.contains("shake_in_flight_bytes 5") && lines.contains("shake_journal_events_total 12"))
        #expect(lines.contains(#"shake_build_info{version="\#(Version.text)"} 1"#))
        #expect(!lines.contains { $0.hasPrefix("process_cpu_seconds_total ") }, "what isn't known is left out")
    }

    @Test("A target that has acknowledged nothing since shows for how long")
    func busy() {
        var signs = VitalSigns(written: Sample.now, worker: "w")
        #expect(metrics([], signs).contains("shake_target_busy_seconds 0"))
        signs.target.busySince = Sample.now + .seconds(-7)
        #expect(metrics([], signs).contains("shake_target_busy_seconds 7"))
    }

    @Test("A source with ever new error codes fills no memory")
    func codes() {
        let registry = Registry(MetricCatalogue.declarations)
        let calls = SourceCalls(registry)
        for code in 0..<1000 { calls.ended("Scan", "E\(code)", .milliseconds(5)) }
        let samples = registry.metrics.first { $0.name == MetricCatalogue.sourceRequests }?.samples ?? []
        #expect(samples.count == 65)
        #expect(samples.contains(.init([.init("operation", "Scan"), .init("code", "other")], 936)))
    }

    @Test("This process has memory, files and time of its own")
    func process() {
        let facts = ProcessFacts.now()
        #expect((facts.residentBytes ?? 0) > 1 << 20)
        #expect((facts.processorSeconds ?? 0) > 0)
        #expect((facts.openFiles ?? 0) > 2 && (facts.mostFiles ?? 0) > (facts.openFiles ?? 0))
    }
}

extension DaemonAnswers {
    /// An answer that takes as long as the test wants.
    fileprivate func hold(_ begun: DispatchSemaphore, _ end: DispatchSemaphore) {
        begun.signal()
        end.wait()
    }
}
