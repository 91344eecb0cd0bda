internal import Dispatcher
internal import Journal
internal import StreamModel
internal import Targets

/// How the tables, the journal and the process fare, for those who ask again and again: a probe, a scrape, a page.
///
/// On a thread of its own: however long an answer of the API takes, and whoever waits for one, a probe is answered.
actor RecentStatus {
    private let executor = BlockingExecutor(label: "shake.http.status")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let journal: Journal
    private let signs: LatestSigns
    private let who: String
    private let process: @Sendable () -> ProcessFacts
    nonisolated let started = Timestamp.now()

    init(_ journal: Journal, _ signs: LatestSigns, who: String, process: @escaping @Sendable () -> ProcessFacts) {
        self.journal = journal
        self.signs = signs
        self.who = who
        self.process = process
    }

    private struct Recent<Answer> {
        let answer: Answer
        let at: ContinuousClock.Instant
        let cost: Duration
    }

    private var lastView: Recent<StatusView>?
    private var lastFigures: Recent<Figures>?

    func view() throws(ShakectlError) -> StatusView { try Self.recent(&lastView, ask) }

    /// What only metrics tell, out of the journal's file and /proc.
    struct Figures: Sendable {
        let journal: (bytes: Int, lastPosition: UInt64)
        let process: ProcessFacts
    }

    func figures() throws(ShakectlError) -> Figures {
        try Self.recent(&lastFigures) { () throws(ShakectlError) in
            Figures(journal: (journal.usedBytes, try asking(journal.lastPosition).number), process: process())
        }
    }

    /// It may be a second old, and asking may take a twentieth of a thread: the journal may know the shards of years, and a disk
    /// be slow.
    private static func recent<Answer>(
        _ last: inout Recent<Answer>?, _ ask: () throws(ShakectlError) -> Answer
    ) throws(ShakectlError) -> Answer {
        let began = ContinuousClock.now
        if let last, began - last.at < max(.seconds(1), last.cost * 20) { return last.answer }
        let answer = try ask()
        last = Recent(answer: answer, at: .now, cost: .now - began)
        return answer
    }

    /// As it is now. Blocks.
    nonisolated func ask() throws(ShakectlError) -> StatusView {
        let now = Timestamp.now()
        // As `status` judges what it reads in vitals.json, which these signs are.
        let presence =
            signs.signs.map {
                DaemonPresence.judge(who, since: started, .signs($0), in: journal.path, now: now)
            } ?? .running(who, nil)
        return try StatusView(journal, presence, now: now)
    }
}
