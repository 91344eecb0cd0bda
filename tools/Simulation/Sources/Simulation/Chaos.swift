internal import StreamModel
internal import StreamSim

/// What the rest of the world does while the daemon runs and while it doesn't: people write to the tables, shards split and
/// roll over, iterators die, an operator acts.
struct Chaos: Sendable {
    private let plan: Plan
    private let world: World
    private let folder: String
    private var chance: Chance
    private var writes = 0
    /// So many of the tables are there.
    private var made: Int
    /// Whether a process has begun.
    private var hasBegun = false
    private var done: [Operator.Done] = []
    /// Of its own, so that a run without such words is what it was before there were any.
    private var words: Chance

    init(_ plan: Plan, _ world: World, in folder: String, _ chance: Chance) {
        self.plan = plan
        self.world = world
        self.folder = folder
        self.chance = chance
        made = plan.finds ? 1 : world.schemas.count
        words = Chance(seed: plan.seed ^ 0x574F_5244)
    }

    /// The journal knows nothing any more of what could be taken back.
    mutating func forgetRewinds() { done = [] }

    /// What is there before anything else.
    mutating func prepare() {
        world.source { service, now in
            for schema in tables {
                service.make(schema, StreamView(plan), at: now)
            }
        }
        var step = chance.split()
        for _ in 0..<plan.items { write(&step) }
    }

    /// Goes on until `deadline`, or until the process is dead.
    mutating func act(until deadline: Duration, while life: Life) async {
        hasBegun = true
        while world.conductor.now < deadline, life.isAlive {
            // Each step has lots of its own: what is left out of one changes nothing in the next.
            var step = chance.split()
            await wait(min(step.duration(.milliseconds(20), plan.pace), deadline - world.conductor.now))
            guard life.isAlive else { return }
            switch step.below(100) {
            case 0..<53: burst(&step)
            case 53..<56: if !plan.idles { age() }
            case 56..<67: if plan.splits { change(&step) }
            case 67..<71: if plan.expiries { expire() }
            case 71..<74: if plan.expiries { await wait(step.duration(.seconds(600), .seconds(2000))) }
            case 74..<76: if plan.outages { await breakDown(&step) }
            case 76..<80: if plan.pauses { await stop(life, &step) }
            case 80..<88:
                if plan.rewinds {
                    await rewind(&step)
                    cutReplay(life)
                }
            case 88..<95: if plan.answers { await answer(&step) }
            case 95..<98 where plan.switchesStreams: await switchStream(&step)
            default: write(&step)
            }
            if saysWords, words.percent(10) { await say(life) }
            if made < world.schemas.count, words.percent(10) { makeTables() }
        }
        // What is under way when the process is told to stop finds its iterators dead.
        var step = chance.split()
        if plan.expiries, step.percent(40) { expire() }
    }

    /// Nobody runs the daemon; the tables are written to all the same.
    mutating func pause(_ duration: Duration) async {
        var step = chance.split()
        await pause(duration, &step)
    }

    private mutating func pause(_ duration: Duration, _ step: inout Chance) async {
        for _ in 0..<3 {
            await wait(duration / 3)
            if step.percent(50) { burst(&step) }
            if step.percent(35), plan.splits { change(&step) }
            if plan.switchesStreams, step.percent(20) { await switchStream(&step) }
            if saysWords, words.percent(10) { await say(nil) }
            if made < world.schemas.count, words.percent(10) { makeTables() }
        }
    }

    private func wait(_ duration: Duration) async {
        try? await world.conductor.sleep(until: world.conductor.now + max(duration, .zero))
    }

    // MARK: - The source

    /// Those that are there.
    private var tables: [TableSchema] { Array(world.schemas.prefix(made)) }

    /// The rest of them, with something in them.
    mutating func makeTables() {
        guard made < world.schemas.count else { return }
        let new = world.schemas[made...]
        world.source { service, now in
            for schema in new { service.make(schema, StreamView(plan), at: now) }
        }
        made = world.schemas.count
        world.note("source: a table is made")
        world.say("source: \(new.map(\.name)) made")
        var step = words.split()
        burst(&step)
    }

    private mutating func burst(_ step: inout Chance) { for _ in 0..<step.of(1...25) { write(&step) } }

    private mutating func write(_ step: inout Chance) {
        guard !plan.idles || !hasBegun else { return }
        let schema = step.pick(tables)
        // A few keys get most of the writes.
        let key = step.percent(50) ? step.below(max(1, plan.keys / 5)) : step.below(plan.keys)
        writes += 1
        let (isRemoval, isSame, version) = (step.percent(15), step.percent(5), writes)
        let hostile = step.pick(Self.hostile)
        let lifetime = step.percent(10) ? Int64(step.of(1...600)) : nil
        world.source { service, now in
            let key = SimulatedItem.key(schema, key)
            if isRemoval { return service.remove(key, from: schema.name, at: now) }
            let item = SimulatedItem.item(
                key, version: isSame ? 0 : version, text: hostile, expiry: lifetime.map { now / 1_000_000 + $0 })
            service.write(item, to: schema.name, at: now)
        }
    }

    private static let hostile = [
        "plain", "", "\"quoted\\\" }", "é", "e\u{301}", "🦈", "\u{1}\u{1f}", "NextShardIterator\":\"x", "NULL", " ",
    ]

    private func change(_ step: inout Chance) {
        let table = step.pick(tables).name.word
        let (splits, isTwofold, index) = (step.percent(60), step.percent(20), step.next())
        world.source { service, now in
            let open = service.shards(of: table).filter { !$0.isClosed }
            guard !open.isEmpty, open.count < 12 else { return }
            let shard = open[Int(index % UInt64(open.count))].id
            if splits {
                service.split(shard, of: table, at: now)
            } else {
                service.rollOver(shard, of: table, at: now)
            }
            // Its first child ends without a record.
            guard isTwofold, let child = service.shards(of: table).first(where: { $0.parent == shard })?.id else {
                return
            }
            service.rollOver(child, of: table, at: now)
        }
        world.note("source: \(splits ? "split" : "roll-over")")
        world.say("source: a shard of \(table.string) \(splits ? "splits" : "rolls over")")
    }

    /// Switches the stream of a table off, and mostly soon on again, as another one; or on, where it is off.
    private mutating func switchStream(_ step: inout Chance) async {
        let table = step.pick(tables).name
        guard world.switchStream(of: table, to: nil) else {
            _ = world.switchStream(of: table, to: StreamView(plan))
            return
        }
        switch step.below(100) {
        case 0..<35: break
        case 35..<70:
            await wait(step.duration(.milliseconds(50), .seconds(600)))
            burst(&step)
        default: return
        }
        _ = world.switchStream(of: table, to: StreamView(plan))
    }

    /// The service removes items whose time has come.
    private func age() {
        let count = world.source { service, now in service.expireItems(at: now) }
        guard count > 0 else { return }
        world.note("source: items expire")
        world.say("source: \(count) items expire")
    }

    private func expire() {
        world.source { service, _ in service.expireIterators() }
        world.note("source: all iterators expire")
        world.say("source: all iterators expire")
    }

    /// No call comes through, for as long as a client tries again and longer.
    private func breakDown(_ step: inout Chance) async {
        let duration = step.duration(.seconds(5), .seconds(600))
        world.note("source: an outage")
        world.say("source: an outage of \(duration)")
        world.source { service, _ in service.settings.fail(100) }
        await wait(duration)
        world.source { service, _ in service.settings.fail(plan.faults) }
    }

    // MARK: - The operator

    /// SIGSTOP, at some moment or just when the process asks for a shard's start, and after a while SIGCONT, or SIGKILL.
    private mutating func stop(_ life: Life, _ step: inout Chance) async {
        var duration = step.percent(25) ? plan.longestPause : step.duration(.seconds(1), plan.longestPause)
        if step.percent(50) {
            // What follows an end is asked for soon.
            if plan.splits { change(&step) }
            life.stopAtNextStart()
            await wait(.seconds(90))
            if step.percent(50) { duration = .seconds(46 * 3600) }
        }
        world.note("operator: stops the process")
        world.say("operator: stops the process for \(duration)")
        life.stop()
        await pause(duration, &step)
        if step.percent(15) {
            world.note("operator: kills the stopped process")
            await life.die()
        }
        world.goesOn()
        life.lane.resume()
        world.say("operator: the process goes on, alive: \(life.isAlive)")
        // Its time may be over by now: what it does as if nothing had happened is done before it is told to stop.
        if life.isAlive { await wait(.seconds(60)) }
    }

    private var saysWords: Bool { (plan.pausesReading || plan.resyncs) && hasBegun }

    /// Pauses, resumes, or asks for another full sync.
    ///
    /// - Parameter life: the daemon, where it runs; it may be killed upon the word.
    private mutating func say(_ life: Life?) async {
        var step = words.split()
        var deeds: [Operator.Deed] = []
        if plan.pausesReading { deeds += world.isAnythingPaused ? [.resume, .resume, .pause] : [.pause, .pause] }
        if plan.resyncs { deeds.append(.resync) }
        let deed = step.pick(deeds)
        await act(deed, &step)
        guard let life, life.isAlive, step.percent(15) else { return }
        world.note("operator: \(deed == .resync ? "resync" : "pause or resume"), and the daemon is killed")
        world.say("the daemon is killed upon an operator's word")
        await life.die()
    }

    private mutating func rewind(_ step: inout Chance) async {
        let deed: Operator.Deed = step.percent(75) ? .rewind : step.percent(60) ? .undo : .mistake
        await act(deed, &step)
        // Most are taken back at once, while nothing is replayed yet.
        if deed == .rewind, step.percent(30) { await act(.undo, &step) }
    }

    /// The daemon dies within what it replays, which a journal from before the rewind knows nothing of.
    private mutating func cutReplay(_ life: Life) {
        guard plan.cutsReplays, words.percent(40) else { return }
        life.dies(after: words.of(2...30))
    }

    /// Sees to what waits, as `status` shows it; now and then to what doesn't.
    private mutating func answer(_ step: inout Chance) async {
        let waits = world.waits
        let deed: Operator.Deed =
            if waits.loss, step.percent(80) { .acknowledge } else if waits.letter, step.percent(80) {
                step.percent(60) ? .retry : .settle
            } else { step.pick([.acknowledge, .retry, .settle]) }
        await act(deed, &step)
    }

    private mutating func act(_ deed: Operator.Deed, _ step: inout Chance) async {
        let steps = step.percent(10) ? step.of(1...4) : Int.max
        await Operator(world, in: folder, steps: steps).act(deed, &step, &done)
        world.catchUp()
    }
}
