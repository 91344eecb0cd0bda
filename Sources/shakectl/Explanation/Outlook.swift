internal import Dispatcher
internal import Journal
internal import StreamModel

/// What happens next with a shard, by the rules that decide it; or what it waits for, and how to help it on.
struct Outlook {
    private(set) var sentences: [String] = []
    private(set) var suggestions: Suggestions

    private let facts: ShardFacts
    private var checkpoint: Checkpoint { facts.checkpoint }
    private var name: String { facts.shard.description }

    init(_ facts: ShardFacts, _ suggestions: Suggestions) {
        self.facts = facts
        self.suggestions = suggestions
        if facts.checkpoint.status.letsChildrenStart { tellEnd() } else { tellCourse() }
        if let loss = facts.checkpoint.loss.map({ KnownLoss(shard: facts.shard, $0) }), loss.isOpen, !loss.stops {
            suggest(["ack", facts.shard.table.text], "take note of the loss")
        }
        if !facts.checkpoint.refusals.isEmpty {
            suggest(["dead-letters"], "see what the target refused, and why")
        }
        suggest(["history", name, "--reverse", "--limit", "20"], "its newest events, advances among them")
        // The source is not asked: nobody here knows where it is.
        if facts.checkpoint.records > 0, facts.newerStream == nil {
            suggest(["rewind", name, "--to-start", "--offline", "--dry-run"], "what it would mean to bring all of it again")
        }
    }

    private mutating func suggest(_ words: [String], _ purpose: String) { suggestions.add(words, purpose) }

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
            suggest(["explain", open.shard.description], "why its child stands where it stands")
        }
    }

    // MARK: A shard that is to be read

    private mutating func tellCourse() {
        if let stop = whatStopsTheTable() {
            sentences.append(stop)
            tellNextStart()
        } else if let newer = facts.newerStream {
            sentences.append(
                "It is of an older stream: its table goes on with \(newer), and what is older is not read again. A full sync brings "
                    + "every item as it is now.")
        } else if let pause = facts.pause {
            sentences.append("It is not read: \(pause.words).")
            sentences.append("\(pause.outlook(now: facts.now)).".uppercasedFirst)
            suggest(["resume", pause.shard?.description ?? pause.table.text], "let it go on")
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

    /// A loss that an operator has to answer, of this shard or another of its table, also of a stream before or after.
    private mutating func whatStopsTheTable() -> String? {
        let losses = KnownLoss.all(of: facts.shard.table, facts.table, facts.ofTable)
        guard let loss = losses.first(where: \.stops) else { return nil }
        let table = facts.shard.table.text
        if facts.scans {
            suggest(["ack", table, "--resync"], "scan the table again, which brings what the lost changes led to")
        }
        suggest(["ack", table, "--skip"], "go on without what was lost")
        let stream = loss.shard.map { $0.stream == facts.shard.stream ? "" : ", of the stream \($0.stream)" } ?? ""
        return "Its table stands still, and waits for an operator: \(loss.words)\(stream)."
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
        suggest(["explain", root.shard.description], "why that one stands where it stands")
    }

    /// Whether what the daemon says of itself is of now.
    private var isHeard: Bool {
        facts.daemon.signs.map { facts.now - $0.written <= $0.limits.silence } ?? false
    }

    private mutating func tellReading() {
        guard let signs = facts.daemon.signs, isHeard else {
            switch facts.daemon {
            case .notRunning, .beingCopied: sentences.append("Nobody reads it now.")
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
        case .beingCopied(let who): sentences.append("No daemon is running; \(DaemonPresence.copying(by: who)).")
        case .notRunning(let why):
            sentences.append("No daemon is running; \(why).")
            if suggestions.hasConfiguration {
                suggest(["run"], "start the daemon, as the configuration says")
            } else {
                sentences.append("It wants the options that the last one had, which the journal does not keep.")
            }
        case .silent(_, let why): sentences.append("\(why).".uppercasedFirst)
        case .running(_, let signs):
            guard let signs else {
                sentences.append("The daemon has just begun.")
                return
            }
            // Of the table and the target, which this shard shares with others.
            let state = facts.table ?? TableState(table: facts.shard.table)
            if let worst = Health.worst(
                of: state, facts.ofTable, signs, now: facts.now, place: Shell.more(suggestions.place))
            {
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
