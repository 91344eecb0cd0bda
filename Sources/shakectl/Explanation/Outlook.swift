internal import Dispatcher
internal import Journal
internal import StreamModel

/// What happens next with a shard, by the rules that decide it; or what it waits for, and how to help it on.
struct Outlook {
    private(set) var sentences: [String] = []
    private(set) var commands: [Explanation.Suggestion] = []

    private let facts: ShardFacts
    private var checkpoint: Checkpoint { facts.checkpoint }
    private var name: String { Shell.quoted(facts.shard.description) }

    init(_ facts: ShardFacts) {
        self.facts = facts
        if facts.checkpoint.status.letsChildrenStart { tellEnd() } else { tellCourse() }
        if let loss = facts.checkpoint.loss.map({ KnownLoss(shard: facts.shard, $0) }), loss.isOpen, !loss.stops {
            suggest("shakectl ack \(Shell.quoted(facts.shard.table.text))", "take note of the loss")
        }
        if !facts.checkpoint.refusals.isEmpty {
            suggest("shakectl dead-letters", "see what the target refused, and why")
        }
        suggest("shakectl history \(name) --reverse --limit 20", "its newest events, advances among them")
        if facts.checkpoint.records > 0 {
            suggest("shakectl rewind \(name) --to-time 1h --dry-run", "what it would mean to bring its last hour again")
        }
    }

    private mutating func suggest(_ command: String, _ purpose: String) {
        commands.append(Explanation.Suggestion(purpose: purpose, command: command))
    }

    // MARK: A shard that is over

    private mutating func tellEnd() {
        sentences.append("Nothing more of it is read, unless somebody sets it back.")
        let children = facts.children
        guard !children.isEmpty else {
            if checkpoint.status == .done {
                sentences.append("It has no child yet that the journal knows: the listing of the stream brings them.")
            }
            return
        }
        let list = children.prefix(8).map { "\($0.shard.shard) (\($0.status.rawValue))" }.joined(separator: ", ")
        let more = children.count > 8 ? " and \(children.count - 8) more" : ""
        sentences.append(
            (children.count == 1 ? "It goes on in its child " : "It goes on in its children ") + list + more + ".")
        if let open = children.first(where: { !$0.status.letsChildrenStart }) {
            suggest("shakectl explain \(Shell.quoted(open.shard.description))", "why its child stands where it stands")
        }
    }

    // MARK: A shard that is to be read

    private mutating func tellCourse() {
        if let stop = whatStopsTheTable() {
            sentences.append(stop)
            tellNextStart()
        } else if let pause = facts.pause {
            sentences.append("It is not read: \(pause.words).")
            sentences.append("\(pause.outlook(now: facts.now)).".uppercasedFirst)
            let paused = pause.shard?.description ?? pause.table.text
            suggest("shakectl resume \(Shell.quoted(paused))", "let it go on")
        } else if !facts.unfinishedAncestors.isEmpty {
            tellAncestors()
        } else if !facts.runningDescendants.isEmpty {
            let names = facts.runningDescendants.map(\.shard.shard.text).joined(separator: ", ")
            sentences.append(
                "It waits until \(names) is put down: a batch of a descendant that is still on its way must not come after the first records of the replay.")
        } else {
            tellReading()
        }
        tellDaemon()
    }

    /// A loss that an operator has to answer, of this shard or another of its table.
    private mutating func whatStopsTheTable() -> String? {
        let losses = KnownLoss.all(of: facts.shard.table, facts.table, Array(facts.lineage.values))
        guard let loss = losses.first(where: \.stops) else { return nil }
        let table = Shell.quoted(facts.shard.table.text)
        suggest("shakectl ack \(table) --resync", "scan the table again, which brings what the lost changes led to")
        suggest("shakectl ack \(table) --skip", "go on without what was lost")
        return "Its table stands still, and waits for an operator: \(loss.words)."
    }

    private mutating func tellAncestors() {
        let line = facts.unfinishedAncestors
        guard let parent = line.first, let root = line.last else { return }
        sentences.append(
            "It waits for its parent \(parent.shard.shard) (\(parent.status.rawValue)): a shard is begun when its parent was read to its end, "
                + "since a key's older changes must not come after its newer ones.")
        if line.count > 1 {
            sentences.append(
                "That waits in turn: \(Spoken.count(UInt64(line.count - 1), "generation")) up, \(root.shard.shard) (\(root.status.rawValue)) is what all wait for.")
        }
        let lag = Lag.of(root, sign: facts.daemon.signs?[root.shard], now: facts.now)
        if root.status == .inProcessing, let lag, lag > .zero {
            sentences.append("\(root.shard.shard) is \(Spoken.duration(lag)) behind.")
        }
        suggest("shakectl explain \(Shell.quoted(root.shard.description))", "why that one stands where it stands")
    }

    /// Whether what the daemon says of itself is of now.
    private var isHeard: Bool {
        facts.daemon.signs.map { facts.now - $0.written <= $0.limits.silence } ?? false
    }

    private mutating func tellReading() {
        guard let signs = facts.daemon.signs, isHeard else {
            switch facts.daemon {
            case .notRunning: sentences.append("Nobody reads it now.")
            case .silent, .running: sentences.append("The daemon has not said lately whether it reads it.")
            }
            tellNextStart()
            return
        }
        guard let table = signs[facts.shard.table] else {
            sentences.append("The daemon that runs does not follow its table.")
            tellNextStart()
            return
        }
        guard let sign = facts.sign else {
            sentences.append(
                table.trouble == nil
                    ? "Nothing keeps it from being read, and no reader has it yet: it is taken up next."
                    : "No reader has it: all work on its table rests.")
            tellNextStart()
            return
        }
        if let trouble = sign.trouble {
            sentences.append(
                "Reading it fails since \(Spoken.time(trouble.since).prefix(19)) UTC, \(Spoken.count(UInt64(max(0, trouble.tries)), "try").replacing("trys", with: "tries")): "
                    + "\(trouble.cause). It is tried again after a while.")
            return
        }
        if let replay = sign.replay {
            sentences.append(
                "It brings the same records again and again (\(replay.times) times from \(replay.from) on), and something keeps them from being acknowledged.")
        }
        guard let page = sign.page else {
            sentences.append("A reader took it up \(ago(sign.taken)), and no page has come yet.")
            return
        }
        if sign.isInStep {
            sentences.append(
                "It is read, and in step: the newest page came \(ago(page)), was empty, and everything before it is in the target.")
        } else {
            let lag = Lag.of(checkpoint, sign: sign, now: facts.now)
            sentences.append(
                "It is read: the newest page came \(ago(page))"
                    + (lag.map { ", and the target is \(Spoken.duration($0)) behind." } ?? "."))
        }
    }

    /// By the start table itself.
    private mutating func tellNextStart() {
        switch StartTable.decide(checkpoint, handedOver: nil, expired: false, now: facts.now) {
        case .needsFullSync:
            sentences.append(
                "It can't go on by itself: it was to be read from its newest record on, and nothing says where that was. Its table needs a full sync.")
        case .start(let start, let rule):
            let rule = Rule(start, rule)
            sentences.append("The next start begins \(rule.place), \(rule.reason).")
        }
        guard let accounted = [checkpoint.accountedUntil, checkpoint.approximateTime].compactMap(\.self).max() else { return }
        let left = accounted + Recovery.surelyHeld - facts.now
        sentences.append(
            left > .zero
                ? "The stream is sure to hold what comes next for another \(Spoken.duration(left)): it keeps records for 24 h."
                : "What comes next may have left the stream, which keeps records for 24 h: the next start finds out, and says so.")
    }

    private mutating func tellDaemon() {
        switch facts.daemon {
        case .notRunning(let why):
            sentences.append("No daemon is running; \(why).")
            suggest("shakectl run", "start the daemon (with the options that it had)")
        case .silent(_, let why): sentences.append("\(why).".uppercasedFirst)
        case .running(_, let signs):
            guard let signs else {
                sentences.append("The daemon has just begun.")
                return
            }
            // Of the table and the target, which this shard shares with others.
            let state = facts.table ?? TableState(table: facts.shard.table)
            if let worst = Health.worst(of: state, Array(facts.lineage.values), signs, now: facts.now) {
                sentences.append("Of its table the daemon says: \(worst.reason).")
            }
        }
        if facts.table?.phase == .fullSync {
            sentences.append("Its table is in its full sync meanwhile: what the stream brings goes over what the scan brings.")
        }
    }

    private func ago(_ time: Timestamp) -> String {
        let age = facts.now - time
        return age <= .seconds(1) ? "just now" : "\(Spoken.duration(age)) ago"
    }
}

extension String {
    fileprivate var uppercasedFirst: String { prefix(1).uppercased() + dropFirst() }
}
