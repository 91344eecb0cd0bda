import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("Whether a daemon gives signs of life")
struct DaemonPresenceTests {
    private func judge(_ reading: VitalsFile.Reading, began seconds: Int?) -> DaemonPresence {
        DaemonPresence.judge(
            "pid 7", since: seconds.map { Sample.now + .seconds($0) }, reading, in: "/j", now: Sample.now)
    }

    private func reason(_ presence: DaemonPresence) -> String? {
        if case .silent("pid 7", let why) = presence { why } else { nil }
    }

    private func signs(at seconds: Int) -> VitalSigns {
        VitalSigns(written: Sample.now + .seconds(seconds), worker: "alpha/7")
    }

    @Test("One that began a moment ago need not have said anything", arguments: [0, -1, -20, 2])
    func young(seconds: Int) {
        #expect(judge(.unreadable("No such file or directory"), began: seconds) == .running("pid 7", nil))
    }

    @Test("What can't be read later is no sign, nor where the clock was set back or nobody knows since when")
    func unreadable() {
        #expect(
            reason(judge(.unreadable("Is a directory"), began: -45)) == """
                the daemon (pid 7) has given no sign since it began, 45 s ago: /j/vitals.json can't be read: Is a directory; it \
                is suspended, or it hangs; look at its log and its disk, and whether you may read the file
                """)
        for began in [-21, 6, 3600] as [Int] {
            #expect(reason(judge(.unreadable("x"), began: began)) != nil)
        }
        #expect(reason(judge(.unreadable("x"), began: nil)) != nil)
    }

    @Test("A sign is one of before, save what a clock may go in between", arguments: [-3600, -1, 0, 5])
    func sign(seconds: Int) {
        let signs = signs(at: seconds)
        #expect(judge(.signs(signs), began: -7200) == .running("pid 7", signs))
    }

    @Test("A sign of the future is none", arguments: [6, 3600])
    func future(seconds: Int) {
        let why = reason(judge(.signs(signs(at: seconds)), began: -1))
        #expect(why?.contains("has given no sign since this machine's clock was set back") == true)
    }

    @Test("A table whose daemon gives no sign has failed, and nothing is said of what it reads")
    func table() throws {
        let silent = DaemonPresence.silent("pid 7", "no sign")
        let status = TableStatus.all(
            tables: [], checkpoints: [Sample.shard("a", made: Sample.now)], daemon: silent, now: Sample.now)
        #expect(status.map(\.health) == [.failed])
        #expect(status.map(\.reason) == ["no sign"])
        #expect(status.map(\.read) == [nil])
        let view = StatusView(tables: status, daemon: silent, journal: "j", target: "")
        #expect(view.lines(.plain)[0] == "daemon: running, pid 7")
    }

    @Test("While it is copied no daemon runs, none hangs, and none is advised to be started")
    func copied() {
        let copied = DaemonPresence.beingCopied("pid 7")
        let shard = Sample.shard("a", made: Sample.now)
        let status = TableStatus.all(tables: [], checkpoints: [shard], daemon: copied, now: Sample.now)
        #expect(status.map(\.health) == [.stopped])
        let why = "the journal is being copied by `compact --copy` (pid 7), and none can start until that has ended"
        #expect(status.map(\.reason) == ["no daemon is running; \(why)"])
        let view = StatusView(tables: status, daemon: copied, journal: "j", target: "")
        #expect(view.lines(.plain)[0] == "daemon: not running; \(why)")
        let facts = ShardFacts(
            checkpoint: shard, lineage: [shard.shard.shard: shard], table: nil, daemon: copied, beginning: nil, turns: [],
            now: Sample.now)
        let explanation = Explanation(facts, Suggestions(hasConfiguration: true))
        #expect(explanation.outlook.contains("No daemon is running; \(why)."))
        #expect(!explanation.commands.contains { $0.command == "shakectl run" })
    }
}
