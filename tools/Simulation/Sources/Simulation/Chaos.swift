internal import StreamModel
internal import StreamSim

/// What the rest of the world does while the daemon runs and while it doesn't: people write to the tables, shards split and
/// roll over, iterators die, an operator rewinds.
struct Chaos: Sendable {
    private let plan: Plan
    private let world: World
    private let folder: String
    private var chance: Chance
    private var writes = 0

    init(_ plan: Plan, _ world: World, in folder: String, _ chance: Chance) {
        self.plan = plan
        self.world = world
        self.folder = folder
        self.chance = chance
    }

    /// What is there before anything else.
    mutating func prepare() {
        world.source { service, now in
            for schema in world.schemas {
                service.createTable(TableDefinition(schema, shards: plan.shards), at: now)
            }
        }
        for _ in 0..<plan.items { write() }
    }

    /// Goes on until `deadline`, or until the process is dead.
    mutating func act(until deadline: Duration, while life: Life) async {
        while world.conductor.now < deadline, life.isAlive {
            await wait(min(chance.duration(.milliseconds(20), plan.pace), deadline - world.conductor.now))
            guard life.isAlive else { return }
            switch chance.below(100) {
            case 0..<60: burst()
            case 60..<72 where plan.splits: change()
            case 72..<77 where plan.expiries: expire()
            case 77..<80 where plan.expiries: await wait(chance.duration(.seconds(600), .seconds(2400)))
            case 80..<92 where plan.rewinds: await rewind()
            default: write()
            }
        }
    }

    /// Nobody runs the daemon; the tables are written to all the same.
    mutating func pause(_ duration: Duration) async {
        for _ in 0..<3 {
            await wait(duration / 3)
            if chance.percent(50) { burst() }
            if plan.splits, chance.percent(20) { change() }
        }
    }

    private func wait(_ duration: Duration) async {
        try? await world.conductor.sleep(until: world.conductor.now + max(duration, .zero))
    }

    // MARK: - The source

    private mutating func burst() { for _ in 0..<chance.of(1...25) { write() } }

    private mutating func write() {
        let schema = chance.pick(world.schemas)
        // A few keys get most of the writes.
        let key = chance.percent(50) ? chance.below(max(1, plan.keys / 5)) : chance.below(plan.keys)
        writes += 1
        let (isRemoval, isSame, version) = (chance.percent(15), chance.percent(5), writes)
        let hostile = chance.pick(Self.hostile)
        world.source { service, now in
            let key = Item.key(schema, key)
            if isRemoval { return service.delete(key, from: schema.name.text, at: now) }
            service.put(key.with(version: isSame ? 0 : version, text: hostile), into: schema.name.text, at: now)
        }
    }

    private static let hostile = [
        "plain", "", "\"quoted\\\" }", "é", "e\u{301}", "🦈", "\u{1}\u{1f}", "NextShardIterator\":\"x", "NULL", " ",
    ]

    private mutating func change() {
        let table = chance.pick(world.schemas).name.text
        let (splits, index) = (chance.percent(60), chance.next())
        world.source { service, now in
            let open = service.shards(of: table).filter { !$0.isClosed }
            guard !open.isEmpty, open.count < 12 else { return }
            let shard = open[Int(index % UInt64(open.count))].id
            if splits {
                service.split(shard, of: table, at: now)
            } else {
                service.rollOver(shard, of: table, at: now)
            }
        }
        world.say("source: a shard of \(table) \(splits ? "splits" : "rolls over")")
    }

    private func expire() {
        world.source { service, _ in service.expireIterators() }
        world.say("source: all iterators expire")
    }

    // MARK: - The operator

    private mutating func rewind() async {
        if let outcome = await Operator(world, in: folder).rewind(&chance) { world.say("operator: rewind \(outcome)") }
    }
}
