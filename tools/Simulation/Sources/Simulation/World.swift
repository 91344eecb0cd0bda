internal import Dispatcher
package import Journal
internal import Simdjson
package import StreamModel
package import StreamSim
internal import Synchronization
internal import Targets

/// Everything outside the daemon: the source, the target's disk, time, and the judge who looks on.
package final class World: Sendable {
    struct State {
        var service: Simulator
        /// How much of each table the truth has taken over; shards are those of its newest stream.
        var taken: [TableName: Taken] = [:]
        var judge = Judge()
        var network: Chance
        var troubles: Chance
        var troubleShare = 0
        /// Of a hundred images, how many the target can't hold.
        var poison: Int
        var coverage: [String: Int] = [:]
        var violations: [Violation] = []
        var trail = Trail()
        var journal: Journal?
        /// The disk was set back, and the daemon has not come to rest since: until then the journal says more than it holds.
        var isRestored = false
        /// Which shard each iterator leads into, of those that are in use.
        var iterators: [ShardIterator: ShardKey] = [:]
        /// When the process began, and when it last went on after it was stopped.
        var began = World.beginning
        var awake = World.beginning
        /// Records that were written, where nobody judges them.
        var writtenRecords = 0
    }

    struct Taken {
        var (records, shards, unstreamed) = (0, 0, 0)
        var stream: (arn: Text, isOn: Bool)?
    }

    package let conductor: Conductor
    package let schemas: [TableSchema]
    /// Whether anybody wants to read what happened.
    package let tells: Bool
    /// Whether what happens is kept, to be judged by.
    private let judges: Bool
    let kind: ModelTarget.Kind
    let letterLimit: Int
    private let slowestScan: Duration
    private let watchInterval: Duration
    /// Whether the daemon is one that scans.
    let scans: Bool
    let filters: [TableName: SimulatedFilter]
    let state: Mutex<State>

    /// Some moment: 2025-06-15.
    static let beginning = Timestamp(seconds: 1_750_000_000)

    /// - Parameter tells: whether to keep a trail of what happens. What happens is the same.
    package init(_ plan: Plan, _ chance: inout Chance, tells: Bool, judges: Bool = true) {
        self.judges = judges
        kind = plan.target
        letterLimit = plan.letterLimit
        slowestScan = plan.scanPace
        watchInterval = plan.watchInterval
        scans = plan.mode != .incr
        self.tells = tells
        conductor = Conductor(seed: chance.next(), disorder: plan.disorder)
        schemas = (1...plan.tables).map { table in
            TableSchema(
                name: TableName("table-\(table)"), hash: KeyAttribute(name: Array("id".utf8), type: .string),
                range: table == 2 ? KeyAttribute(name: Array("at".utf8), type: .number) : nil)
        }
        let isFiltered = plan.filtered > 0 && plan.filtered <= plan.tables
        filters =
            isFiltered
            ? [schemas[plan.filtered - 1].name: SimulatedFilter(scansConsistently: plan.scansConsistently)] : [:]
        let service = Simulator(seed: chance.next(), settings: Settings(plan))
        state = Mutex(
            State(service: service, network: chance.split(), troubles: chance.split(), poison: plan.poison))
        state.withLock { $0.judge.listsRows = listsRows }
    }

    /// Whether the target can tell which rows it has.
    var listsRows: Bool { kind != .file }

    package var now: Timestamp { Self.beginning + conductor.now }

    // MARK: - What is seen

    package func note(_ what: String) { state.withLock { $0.coverage[what, default: 0] += 1 } }

    /// One line of what happened, for whoever has to understand a failure.
    package func say(_ what: @autoclosure () -> String) {
        guard tells else { return }
        let line = "\(conductor.now) \(what())"
        state.withLock { $0.trail.add(line) }
    }

    package func violate(_ kind: Violation.Kind, _ what: String) { violate([Violation(kind, what)]) }

    package func violate(_ violations: [Violation]) {
        for violation in violations {
            say("VIOLATION \(violation)")
            state.withLock { $0.violations.append(violation) }
        }
    }

    package var violations: [Violation] { state.withLock { $0.violations } }
    package var trail: [String] { state.withLock { $0.trail.lines } }
    package var coverage: [String: Int] {
        state.withLock { state in state.coverage.merging(state.service.noted) { $0 + $1 } }
    }

    // MARK: - The source

    package func answer(_ request: Request) -> Reply {
        state.withLock { state in
            let reply = state.service.answer(request, at: now.microseconds)
            guard judges else { return reply }
            take(&state)
            learn(from: request, reply, &state)
            return reply
        }
    }

    /// Does something to the source.
    package func source<R>(_ body: (inout Simulator, _ now: Int64) -> sending R) -> sending R {
        state.withLock { state in
            let result = body(&state.service, now.microseconds)
            take(&state)
            return result
        }
    }

    package func truth<R>(_ body: (Truth) -> sending R) -> sending R { state.withLock { body($0.judge.truth) } }

    /// The truth learns of records, and of shards, that were made since.
    private func take(_ state: inout State) {
        guard judges else { return }
        for schema in schemas {
            var known = state.taken[schema.name] ?? Taken()
            let records = state.service.records(of: schema.name.word)
            let shards = state.service.shards(of: schema.name.word).count
            takeStream(of: schema.name, &known, &state)
            takeUnstreamed(of: schema, &known, &state)
            guard records.count > known.records || shards > known.shards else {
                state.taken[schema.name] = known
                continue
            }
            for (shard, parent) in state.service.lineage(of: schema.name).dropFirst(known.shards) {
                state.judge.parents[shard] = parent
            }
            for record in records.dropFirst(known.records) {
                let shard = ShardKey(
                    table: schema.name, stream: StreamARN(record.stream.string), shard: ShardID(record.shard.string))
                guard let number = SequenceNumber(record.sequenceNumber.string),
                    let item = itemID(of: record.keys, schema)
                else {
                    state.violations.append(
                        Violation(.source, "the service made a record that is none: \(record.sequenceNumber.string)"))
                    continue
                }
                guard let filter = filters[schema.name] else {
                    state.judge.truth.add(number, of: shard, item: item, image: record.newImage, made: record.made)
                    continue
                }
                let verdict = filter.verdict(on: record)
                state.coverage["filter: \(verdict.rawValue)", default: 0] += 1
                state.judge.truth.add(
                    number, of: shard, item: item, image: verdict == .matches ? record.newImage : nil,
                    isLeftOut: verdict == .isLeftOut, made: record.made)
            }
            (known.records, known.shards) = (records.count, shards)
            state.taken[schema.name] = known
        }
    }

    private func takeStream(of table: TableName, _ known: inout Taken, _ state: inout State) {
        guard let arn = state.service.stream(of: table.word) else { return }
        let isOn = state.service.isStreaming(table.word)
        guard known.stream.map({ $0 != (arn, isOn) }) ?? true, let life = state.service.life(of: arn) else { return }
        if known.stream?.arn != arn { known.shards = 0 }
        known.stream = (arn, isOn)
        state.judge.truth.know(
            Truth.Stream(
                arn: StreamARN(arn.string), created: Timestamp(microseconds: life.created),
                disabled: life.disabled.map { Timestamp(microseconds: $0) }), of: table)
    }

    private func takeUnstreamed(of schema: TableSchema, _ known: inout Taken, _ state: inout State) {
        let changes = state.service.unstreamed(of: schema.name.word)
        for change in changes.dropFirst(known.unstreamed) {
            guard let item = itemID(of: change.keys, schema) else { continue }
            state.judge.truth.add(unstreamed: item, made: Timestamp(microseconds: change.made))
        }
        known.unstreamed = changes.count
    }

    /// Switches a table's stream on or, without a view, off.
    ///
    /// - Returns: whether it was not so already.
    func switchStream(of table: TableName, to view: StreamView?) -> Bool {
        let hasSwitched = source { service, now in service.switchStream(of: table, to: view, at: now) }
        guard hasSwitched else { return false }
        note("source: a stream is switched \(view == nil ? "off" : "on")")
        say("source: the stream of \(table) is switched \(view == nil ? "off" : "on")")
        return true
    }

    /// Who reads what: an iterator that was asked for begins a reading, and a page goes on with it.
    private func learn(from request: Request, _ reply: Reply, _ state: inout State) {
        switch Exchange(request, reply) {
        case .iterator(let iterator, let shard, let isLatest):
            if isLatest { state.judge.anchors[iterator] = state.judge.truth.count(of: shard) }
            state.judge.readings.began(shard, at: now)
            state.iterators[iterator] = shard
        case .scan(let table, let segment, let isFirst):
            if isFirst { state.judge.promises.scanBegins(table, segment, at: now) }
            hold(.table(table), &state)
        case .page(let iterator, let next):
            guard let shard = state.iterators.removeValue(forKey: iterator) else { return }
            hold(.shard(shard), &state)
            state.judge.readings.paged(shard, at: now)
            // It may be asked for again, where the reply is lost.
            state.iterators[iterator] = shard
            if let next { state.iterators[next] = shard }
            if state.iterators.count > 1000 { state.iterators = next.map { [$0: shard] } ?? [:] }
        case nil: break
        }
    }

    /// Something of a table or a shard is read.
    private func hold(_ subject: Subject, _ state: inout State) {
        guard
            let violation = state.judge.violation(
                ofReading: subject, at: now, began: state.began, awake: state.awake, watching: watchInterval)
        else { return }
        if tells { state.trail.add("\(conductor.now) VIOLATION \(violation)") }
        state.violations.append(violation)
    }

    /// A process begins.
    func begins() { state.withLock { ($0.began, $0.awake) = (now, now) } }
    /// It goes on after it was stopped.
    func goesOn() { state.withLock { $0.awake = now } }

    /// Takes over what an operator has said.
    func catchUp() { violate(state.withLock { read($0.journal, &$0) }) }

    func itemID(of json: [UInt8], _ schema: TableSchema) -> Disk.ItemID? {
        var reader = KeyReader(schema)
        let place = ByteRange(offset: 0, count: UInt32(json.count))
        guard let key = try? CanonicalKey(reader.key(in: place, of: json)) else { return nil }
        return Disk.ItemID(table: schema.name, key: key)
    }

    // MARK: - The network

    package func latency() -> Duration {
        state.withLock { .microseconds(Int64($0.network.of(200...40_000))) }
    }

    /// How long a page of a scan is on its way.
    package func scanPace() -> Duration {
        guard slowestScan > .zero else { return .zero }
        return state.withLock { $0.network.duration(slowestScan / 10, slowestScan) }
    }

    /// What the client, the dispatcher and the target's writer draw lots with.
    package func draw() -> Double { state.withLock { $0.network.unit() } }

    // MARK: - The target

    package func disk<R>(_ body: (inout Disk) -> sending R) -> sending R { state.withLock { body(&$0.judge.disk) } }

    package func setTroubles(_ share: Int) { state.withLock { $0.troubleShare = share } }

    /// The target can hold everything from now on.
    package func heal() { state.withLock { $0.poison = 0 } }

    package func targetTrouble(_ kind: ModelTarget.Kind) -> TargetTrouble? {
        state.withLock { state in
            guard state.troubles.percent(state.troubleShare) else { return nil }
            switch state.troubles.below(10) {
            case 0...3: return .unavailable
            case 4, 5: return kind == .plain ? .partial(share: state.troubles.unit()) : .unavailable
            // A file can't tell what it has from what it was to have: it gives up instead (`broken`).
            case 6: return kind == .file ? .unavailable : .lostAnswer
            case 7, 8: return .slow(state.troubles.duration(.milliseconds(100), .seconds(20)))
            default: return .hang(state.troubles.duration(.seconds(60), .seconds(1200)))
            }
        }
    }

    /// Whether the target can't hold an image. Which ones is no matter of chance: an item may have good ones and bad ones.
    package func isPoison(_ image: some Collection<UInt8>) -> Bool {
        let share = state.withLock { $0.poison }
        guard share > 0 else { return false }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in image { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (hash >> 32) % 100 < UInt64(share)
    }

    /// The target refuses a change for itself.
    package func refuse(_ origin: Disk.Origin?, _ item: Disk.ItemID) {
        note("target: refuses a \(origin == nil ? "row of a scan" : "record")")
        state.withLock { state in
            if let origin { state.judge.refused[origin, default: 0] += 1 } else { state.judge.refusedRows.insert(item) }
        }
    }

    package func use(_ journal: Journal?) { state.withLock { $0.journal = journal } }

    /// Judges, then writes.
    package func write(_ entry: Disk.Entry) {
        guard judges else { return state.withLock { $0.writtenRecords += entry.changes.count } }
        let found: [Violation] = state.withLock { state in
            var found = read(state.journal, &state)
            let service = state.service
            found += state.judge.violations(of: entry) { trimmed($0, service, now) }
            state.judge.disk.write(entry)
            return found
        }
        say("target: \(entry)")
        violate(found)
    }

    var writtenRecords: Int { state.withLock { $0.writtenRecords } }
    func made(of table: TableName) -> Int { state.withLock { $0.service.records(of: table.word).count } }
    func shardCount(of table: TableName) -> Int { state.withLock { $0.service.shards(of: table.word).count } }

    func trimmed(_ shard: ShardKey, _ service: Simulator, _ time: Timestamp) -> Int {
        service.trimmed(of: Text(shard.shard.text), at: time.microseconds)
    }

    /// The target loses so many of a thousand of its batches, as if it were restored from a backup. What a scan brought stays:
    /// without that only another full sync would help.
    package func restore(without share: Int) {
        let count = state.withLock { state in
            let scanned = (state.judge.disk.log.lastIndex { $0.shard == nil } ?? -1) + 1
            let following = state.judge.disk.log.count - scanned
            let count = scanned + following - (following * share + 999) / 1000
            state.judge.disk.cut(to: count)
            state.isRestored = true
            return count
        }
        note("target: restored")
        say("target: restored to \(count) batches")
    }
}
