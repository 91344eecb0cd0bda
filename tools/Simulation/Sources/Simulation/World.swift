internal import Dispatcher
internal import DynamoDB
package import Journal
internal import Simdjson
package import StreamModel
package import StreamSim
internal import Synchronization
internal import Targets

/// Everything outside the daemon: the source, the target's disk, time, and the judge who looks on.
package final class World: Sendable {
    private struct State {
        var service: Simulator
        var truth = Truth()
        /// How many records of each table the truth has taken over.
        var taken: [TableName: Int] = [:]
        var disk = Disk()
        var judge = Judge()
        var network: Chance
        var troubles: Chance
        var troubleShare = 0
        var coverage: [String: Int] = [:]
        var violations: [String] = []
        var trail = Trail()
        var journal: Journal?
        /// When the last daemon ended, and how long none has run, all in all.
        var ended = Duration.zero
        var absence = Duration.zero
        /// The disk was set back, and the daemon has not come to rest since: until then the journal says more than it holds.
        var isRestored = false
        /// How many records the shard had that each LATEST iterator was issued for.
        var anchors: [ShardIterator: Int] = [:]
    }

    package let conductor: Conductor
    package let schemas: [TableSchema]
    let kind: ModelTarget.Kind
    let beginsAtLatest: Bool
    let rewinds: Bool
    private let state: Mutex<State>

    /// Some moment: 2025-06-15.
    private static let beginning = Timestamp(seconds: 1_750_000_000)

    package init(_ plan: Plan, _ chance: inout Chance) {
        kind = plan.target
        beginsAtLatest = plan.mode == .incr && plan.startsAtLatest
        rewinds = plan.rewinds
        conductor = Conductor(seed: chance.next(), disorder: plan.disorder)
        schemas = (1...plan.tables).map { table in
            TableSchema(
                name: TableName("table-\(table)"), hash: KeyAttribute(name: Array("id".utf8), type: .string),
                range: table == 2 ? KeyAttribute(name: Array("at".utf8), type: .number) : nil)
        }
        let service = Simulator(seed: chance.next(), settings: Settings(plan))
        state = Mutex(State(service: service, network: chance.split(), troubles: chance.split()))
    }

    package var now: Timestamp { Self.beginning + conductor.now }

    // MARK: - What is seen

    package func note(_ what: String) { state.withLock { $0.coverage[what, default: 0] += 1 } }

    /// One line of what happened, for whoever has to understand a failure.
    package func say(_ what: @autoclosure () -> String) {
        let line = "\(conductor.now) \(what())"
        state.withLock { $0.trail.add(line) }
    }

    package func violate(_ what: String) {
        say("VIOLATION \(what)")
        state.withLock { $0.violations.append(what) }
    }

    package var violations: [String] { state.withLock { $0.violations } }
    package var trail: [String] { state.withLock { $0.trail.lines } }
    package var coverage: [String: Int] {
        state.withLock { state in state.coverage.merging(state.service.coverage) { $0 + $1 } }
    }

    // MARK: - The source

    package func answer(_ request: Request) -> Reply {
        state.withLock { state in
            let reply = state.service.answer(request, at: now.microseconds)
            take(&state)
            if let (iterator, shard) = Self.anchor(request, reply) {
                state.anchors[iterator] = state.truth.shards[shard]?.records.count ?? 0
            }
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

    package func truth<R>(_ body: (Truth) -> sending R) -> sending R { state.withLock { body($0.truth) } }

    /// The truth learns of records that were made since.
    private func take(_ state: inout State) {
        for schema in schemas {
            let records = state.service.records(of: schema.name.text)
            let known = state.taken[schema.name] ?? 0
            guard records.count > known else { continue }
            var reader = KeyReader(schema)
            for record in records[known...] {
                let shard = ShardKey(
                    table: schema.name, stream: StreamARN(record.stream), shard: ShardID(record.shard))
                let place = ByteRange(offset: 0, count: UInt32(record.keys.count))
                guard let number = SequenceNumber(record.sequenceNumber),
                    let key = try? CanonicalKey(reader.key(in: place, of: record.keys))
                else {
                    state.violations.append("the service made a record that is none: \(record.sequenceNumber)")
                    continue
                }
                state.truth.add(
                    number, of: shard, item: Disk.ItemID(table: schema.name, key: key), image: record.newImage,
                    made: record.made)
            }
            state.taken[schema.name] = records.count
        }
    }

    /// What a call for a LATEST iterator asked about, and got.
    private static func anchor(_ request: Request, _ reply: Reply) -> (ShardIterator, ShardKey)? {
        guard request.target.hasSuffix("GetShardIterator"), reply.status == 200 else { return nil }
        let asked = String(decoding: request.body, as: UTF8.self)
        let got = String(decoding: reply.body, as: UTF8.self)
        guard asked.member("ShardIteratorType") == "LATEST", let stream = asked.member("StreamArn"),
            let shard = asked.member("ShardId"), let iterator = got.member("ShardIterator"),
            let table = stream.split(separator: "/").dropFirst().first
        else { return nil }
        return (
            ShardIterator(iterator),
            ShardKey(table: TableName(String(table)), stream: StreamARN(stream), shard: ShardID(shard))
        )
    }

    func itemID(of json: [UInt8], _ schema: TableSchema) -> Disk.ItemID? {
        var reader = KeyReader(schema)
        let place = ByteRange(offset: 0, count: UInt32(json.count))
        guard let key = try? CanonicalKey(reader.key(in: place, of: json)) else { return nil }
        return Disk.ItemID(table: schema.name, key: key)
    }

    // MARK: - What is owed

    func owe(_ shard: ShardKey, from count: Int) { state.withLock { $0.judge.owedFrom[shard] = count } }
    func anchored(at iterator: ShardIterator) -> Int? { state.withLock { $0.anchors[iterator] } }
    var isRestoring: Bool { state.withLock { $0.isRestored } }
    func endRestoring() { state.withLock { $0.isRestored = false } }
    func lost(_ journal: Journal) -> [String] {
        state.withLock { state in
            state.judge.lost(on: state.disk, state.truth) { excuses($0, journal, state) }
        }
    }

    func hasExcused(of table: TableName, _ journal: Journal) -> Bool {
        state.withLock { state in
            state.judge.hasExcused(of: table, on: state.disk, state.truth) { excuses($0, journal, state) }
        }
    }

    func unfounded(_ checkpoints: [Checkpoint], _ journal: Journal) -> [String] {
        state.withLock { state in
            state.judge.unfounded(checkpoints, on: state.disk, state.truth) { excuses($0, journal, state) }
        }
    }

    /// What may excuse that records of a shard are missing, by what the journal says and what the stream has forgotten.
    private func excuses(_ shard: ShardKey, _ journal: Journal?, _ state: borrowing State) -> Judge.Excuses {
        var excuses = Judge.Excuses()
        excuses.gone = state.service.trimmed(of: shard.shard.text, at: now.microseconds)
        guard excuses.gone > 0 else { return excuses }
        let checkpoints = (try? journal?.checkpoints()) ?? []
        guard let own = checkpoints.first(where: { $0.shard == shard }) else {
            // It came and went unseen: the loss of what it followed, or of what follows it, tells of it.
            excuses.isDeclared = checkpoints.contains { $0.shard.table == shard.table && $0.loss != nil }
            return excuses
        }
        excuses.isDeclared = own.loss != nil
        let isKnown = own.parent.map { parent in checkpoints.contains { $0.shard.shard == parent } } ?? false
        let discovered = (try? journal?.history(of: shard, HistoryQuery(limit: 1)).first?.time) ?? nil
        if !isKnown, let discovered {
            excuses.foreign = state.truth.shards[shard]?.records.count { $0.made <= discovered.microseconds } ?? 0
        }
        return excuses
    }

    // MARK: - The network

    package func latency() -> Duration {
        state.withLock { .microseconds(Int64($0.network.of(200...40_000))) }
    }

    /// What the client, the dispatcher and the target's writer draw lots with.
    package func draw() -> Double { state.withLock { $0.network.unit() } }

    // MARK: - The target

    package func disk<R>(_ body: (inout Disk) -> sending R) -> sending R { state.withLock { body(&$0.disk) } }

    package func setTroubles(_ share: Int) { state.withLock { $0.troubleShare = share } }

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

    package func use(_ journal: Journal?) {
        state.withLock { state in
            if journal == nil { state.ended = conductor.now } else { state.absence += conductor.now - state.ended }
            state.journal = journal
        }
    }

    /// Whether nobody read the stream for so long that records may have left it.
    var stoodStill: Bool { state.withLock { $0.absence > .seconds(14 * 3600) } }

    /// Judges, then writes.
    package func write(_ entry: Disk.Entry) {
        let found: [String] = state.withLock { state in
            let journal = state.journal
            let checkpoint = { (shard: ShardKey) in (try? journal?.checkpoint(of: shard)) ?? nil }
            let begin = entry.shard.flatMap { shard -> Int? in
                guard let current = checkpoint(shard), current.sequenceNumber == nil else { return nil }
                if case .iterator(let iterator, _)? = current.storedIterator { return state.anchors[iterator] }
                return 0
            }
            let excuses = entry.shard.map { self.excuses($0, journal, state) } ?? Judge.Excuses()
            let found = state.judge.violations(
                of: entry, beginningAt: begin ?? 0, excuses, on: state.disk, state.truth, checkpoint)
            state.disk.write(entry)
            return found
        }
        say("target: \(entry)")
        for violation in found { violate(violation) }
    }

    /// The target loses so many of a thousand of its batches, as if it were restored from a backup. What a scan brought stays:
    /// without that only another full sync would help.
    package func restore(without share: Int) {
        let count = state.withLock { state in
            let scanned = (state.disk.log.lastIndex { $0.shard == nil } ?? -1) + 1
            let following = state.disk.log.count - scanned
            let count = scanned + following - (following * share + 999) / 1000
            state.disk.cut(to: count)
            state.isRestored = true
            return count
        }
        note("target: restored")
        say("target: restored to \(count) batches")
    }
}

extension String {
    /// The value of a member of a flat JSON object, whose text has no escapes.
    fileprivate func member(_ name: String) -> String? {
        guard let start = firstRange(of: "\"\(name)\":\"")?.upperBound else { return nil }
        return self[start...].firstIndex(of: "\"").map { String(self[start..<$0]) }
    }
}
