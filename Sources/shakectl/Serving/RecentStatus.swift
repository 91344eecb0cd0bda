internal import Dispatcher
internal import Journal
internal import StreamModel
internal import Targets

/// How the tables fare, for those who ask again and again: a probe, a scrape, a page.
///
/// On a thread of its own: however long an answer of the API takes, and whoever waits for one, a probe is answered.
actor RecentStatus {
    private let executor = BlockingExecutor(label: "shake.http.status")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let journal: Journal
    private let signs: LatestSigns
    private let who: String
    nonisolated let started = Timestamp.now()

    init(_ journal: Journal, _ signs: LatestSigns, who: String) {
        self.journal = journal
        self.signs = signs
        self.who = who
    }

    private struct Recent {
        let view: StatusView
        let at: ContinuousClock.Instant
        let cost: Duration
    }

    private var last: Recent?

    /// It may be a second old, and asking may take a twentieth of a thread: the journal may know the shards of years.
    func view() throws(ShakectlError) -> StatusView {
        if let last, ContinuousClock.now - last.at < max(.seconds(1), last.cost * 20) { return last.view }
        let began = ContinuousClock.now
        let view = try ask()
        last = Recent(view: view, at: ContinuousClock.now, cost: ContinuousClock.now - began)
        return view
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
