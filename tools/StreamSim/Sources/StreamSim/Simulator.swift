/// DynamoDB and its streams, as FACTS 1 and 2 describe them: a value without a clock of its own.
///
/// The same seed, and the same calls at the same times, give the same answers. Times are microseconds since 1970.
package struct Simulator: Sendable {
    package var settings: Settings
    /// How often each fault and each of the service's peculiarities came up.
    package internal(set) var coverage: [String: Int] = [:]
    /// How many calls of each action came, whatever became of them.
    package private(set) var calls: [Text: CallCount] = [:]
    /// Whether what has left the stream is remembered, for `records(of:)`. A run of months wants to forget.
    package var remembersAll = true

    var tables: [Text: Table] = [:]
    var streams: [Stream] = []
    var chance: Chance
    /// Iterators of an earlier generation are dead.
    var generation = 0
    /// The latest time that anybody told.
    private(set) var now: Int64 = 0
    /// By how much the service's clock was set ahead of whatever tells the time.
    var offset: Int64 = 0
    var loads: [Text: SteadyLoad] = [:]
    /// In the order in which they came.
    var lateWrites: [LateWrite] = []
    /// Those that were done lately, by their token.
    var transactions: [Text: CompletedTransaction] = [:]
    private var numbers: SequenceNumbers
    var tablesMade = 0
    private var shardsMade = 0
    private var changesMade = 0
    /// Every record of each table's streams, in the order in which they were made.
    private var history: [Text: [Record]] = [:]
    /// Changes of each table that were made while it had no stream.
    private var unstreamed: [Text: [UnstreamedChange]] = [:]

    /// What all its chance comes from.
    package let seed: UInt64

    package init(seed: UInt64, settings: Settings = Settings()) {
        self.seed = seed
        chance = Chance(seed: seed)
        numbers = SequenceNumbers(Chance(seed: chance.next()))
        self.settings = settings
    }

    /// Records that were made up to this moment have left their stream.
    var horizon: Int64 { now - settings.retention }

    mutating func note(_ what: String) { coverage[what, default: 0] += 1 }

    /// The end of the year 9999, and of the labels of streams.
    static let end: Int64 = 253_402_300_800_000_000

    /// Time never goes back. What goes on by itself has gone on until then.
    mutating func advance(to time: Int64) {
        let then = max(now, time + offset)
        while let write = nextLateWrite(by: then) {
            now = max(now, write.time ?? now)
            if !loads.isEmpty { catchUp() }
            takeEffect(write)
        }
        now = then
        if !loads.isEmpty { catchUp() }
    }

    // MARK: - Calls

    package mutating func answer(_ request: Request, at time: Int64) -> Reply {
        advance(to: time)
        let action = request.action
        calls[action, default: CallCount()].note(at: now)
        let rule = fault(of: action)
        let fault = rule?.fault
        if let fault { note("fault: \(fault.rawValue)") }
        if let rule, fault == .lateEffect { lateWrites.append(LateWrite(request, rule.effect, at: now)) }
        let reply = fault?.comesBefore == true ? Reply.ok([:]) : effect(of: request)
        if fault == .transactionConflict, let conflict = conflict(of: request) { return conflict }
        if fault?.comesBefore != true, reply.status == 200, Self.writeActions.contains(action) { noteWrite() }
        return fault?.applied(to: reply, longestDelay: settings.longestDelay, chance: &chance) ?? reply
    }

    /// What was taken and left undone is done; nobody hears what became of it.
    mutating func takeEffect(_ write: LateWrite) {
        let reply = effect(of: write.request)
        note(reply.status == 200 ? "late write: done" : "late write: refused")
    }

    private mutating func fault(of action: Text) -> FaultRule? {
        if chance.percent(settings.faults) {
            return FaultRule(Fault.ofTheMoment[chance.below(Fault.ofTheMoment.count)])
        }
        for index in settings.faultRules.indices where settings.faultRules[index].concerns(action) {
            guard chance.percent(settings.faultRules[index].percent) else { continue }
            settings.faultRules[index].count? -= 1
            return settings.faultRules[index]
        }
        return nil
    }

    private mutating func effect(of request: Request) -> Reply {
        do throws(ServiceError) {
            let body: JSON
            do throws(JSONError) {
                body = try JSON(parsing: request.body)
            } catch {
                throw ServiceError.serialization("The body is \(error)")
            }
            guard body.members != nil else { throw .serialization("The body is no JSON object") }
            guard let call = Call(rawValue: request.target) else {
                throw ServiceError(
                    code: "UnknownOperationException", message: "\(request.target): no such operation here")
            }
            try Self.refuseLegacy(body)
            return try answer(call, body)
        } catch {
            note("refused: \(error.code)")
            return .error(error)
        }
    }

    private mutating func answer(_ call: Call, _ body: JSON) throws(ServiceError) -> Reply {
        switch call {
        case .getRecords: Reply(status: 200, body: try records(body))
        case .getShardIterator: .ok(try shardIterator(body))
        case .describeStream: .ok(try describeStream(body))
        case .listStreams: .ok(try listStreams(body))
        case .createTable: .ok(try createTable(body))
        case .describeTable: .ok(try describeTable(body))
        case .listTables: .ok(try listTables(body))
        case .updateTable: .ok(try updateTable(body))
        case .deleteTable: .ok(try deleteTable(body))
        case .updateTimeToLive: .ok(try updateTimeToLive(body))
        case .describeTimeToLive: .ok(try describeTimeToLive(body))
        case .tagResource: .ok(try tagResource(body))
        case .untagResource: .ok(try untagResource(body))
        case .listTagsOfResource: .ok(try listTagsOfResource(body))
        case .putItem: .ok(try putItem(body))
        case .getItem: .ok(try getItem(body))
        case .updateItem: .ok(try updateItem(body))
        case .deleteItem: .ok(try deleteItem(body))
        case .batchGetItem: .ok(try batchGetItem(body))
        case .batchWriteItem: .ok(try batchWriteItem(body))
        case .transactWriteItems: .ok(try transactWriteItems(body))
        case .scan: Reply(status: 200, body: try scan(body))
        }
    }

    // MARK: - Control

    /// - Throws: as CreateTable does.
    package mutating func createTable(_ definition: TableDefinition, at time: Int64) throws(ServiceError) {
        advance(to: time)
        _ = try create(definition)
    }

    /// Switches a table's stream on or, without a view, off.
    package mutating func setStream(_ view: StreamView?, of table: Text, at time: Int64) throws(ServiceError) {
        advance(to: time)
        if let view { try openStream(view, of: table) } else { try closeStream(of: table) }
    }

    package mutating func setTimeToLive(_ attribute: Text?, of table: Text) throws(ServiceError) {
        _ = try self.table(named: table)
        tables[table]?.timeToLive = attribute
    }

    package mutating func put(_ item: Attributes, into table: Text, at time: Int64) throws(ServiceError) {
        advance(to: time)
        let key = try self.table(named: table).schema.key(of: item)
        change(key, to: item, of: table)
    }

    package mutating func delete(_ key: Attributes, from table: Text, at time: Int64) throws(ServiceError) {
        advance(to: time)
        change(try self.table(named: table).schema.key(alone: key), to: nil, of: table)
    }

    /// The shard is closed, and two go on in its place; one, where it is too narrow to be halved. Does nothing to one that is
    /// closed.
    ///
    /// - Returns: the ids of its children.
    @discardableResult
    package mutating func split(_ shard: Text, of table: Text, at time: Int64) -> [Text] {
        advance(to: time)
        return split(shard, of: table)
    }

    mutating func split(_ shard: Text, of table: Text) -> [Text] {
        replace(shard, of: table) { hashes in
            guard hashes.lowerBound < hashes.upperBound else { return [hashes] }
            let middle = hashes.lowerBound + (hashes.upperBound - hashes.lowerBound) / 2
            return [hashes.lowerBound...middle, middle + 1...hashes.upperBound]
        }
    }

    /// The shard is closed, and one goes on in its place.
    @discardableResult
    package mutating func rollOver(_ shard: Text, of table: Text, at time: Int64) -> [Text] {
        advance(to: time)
        return rollOver(shard, of: table)
    }

    mutating func rollOver(_ shard: Text, of table: Text) -> [Text] { replace(shard, of: table) { [$0] } }

    /// No iterator that was issued so far is good any more.
    package mutating func expireIterators() { generation += 1 }

    /// All records of the table's stream but the newest `count` are gone at once.
    package mutating func trim(_ table: Text, keeping count: Int, at time: Int64) {
        advance(to: time)
        trim(table, keeping: count)
    }

    mutating func trim(_ table: Text, keeping count: Int) {
        guard let stream = tables[table]?.stream else { return }
        streams[stream].keep(count)
    }

    /// Items whose time has come are removed, by the service itself.
    ///
    /// - Returns: how many.
    @discardableResult
    package mutating func expireItems(at time: Int64) -> Int {
        advance(to: time)
        return expireItems()
    }

    mutating func expireItems() -> Int {
        var count = 0
        for name in tables.keys.sorted() {
            guard let table = tables[name], let attribute = table.timeToLive else { continue }
            for key in table.items.keys {
                guard case .number(let moment)? = table.items[key]?[attribute], isPast(moment) else { continue }
                change(key, to: nil, of: name, by: .timeToLive)
                count += 1
            }
        }
        return count
    }

    /// Seconds since 1970 that lie in the past, and less than five years there (DG TTL).
    private func isPast(_ moment: DynamoNumber) -> Bool {
        guard let moment = Double(moment.text.string) else { return false }
        let seconds = Double(now) / 1_000_000
        return moment < seconds && moment > seconds - 5 * 365 * 86_400
    }

    // MARK: - The truth

    /// Every record that the table's streams ever had, in the order in which they were made.
    package func records(of table: Text) -> [Record] { history[table] ?? [] }
    /// Every change of the table that no stream has, in the order in which they were made.
    package func unstreamed(of table: Text) -> [UnstreamedChange] { unstreamed[table] ?? [] }
    /// The items of a table.
    package func items(of table: Text) -> [Attributes] { tables[table]?.items.all ?? [] }
    /// The shards of the table's newest stream; also those that have left it, as long as they are remembered.
    package func shards(of table: Text) -> [Shard] { tables[table]?.stream.map { streams[$0].shards } ?? [] }
    /// The name of the table's newest stream.
    package func stream(of table: Text) -> Text? { tables[table]?.stream.map { streams[$0].arn } }
    /// Whether changes of the table are put into a stream.
    package func isStreaming(_ table: Text) -> Bool {
        tables[table]?.stream.map { streams[$0].disabled == nil } ?? false
    }
    /// When the stream was made and, if so, switched off.
    package func life(of stream: Text) -> (created: Int64, disabled: Int64?)? {
        streams.first { $0.arn == stream }.map { ($0.created, $0.disabled) }
    }
    /// How many of a shard's records have left the stream.
    package func trimmed(of shard: Text, at time: Int64) -> Int {
        for stream in streams {
            guard let ordinal = stream.ordinal(shard) else { continue }
            let (found, horizon) = (stream.shards[ordinal], max(now, time + offset) - settings.retention)
            return found.isGone(at: horizon) || stream.isGone(at: horizon) ? found.count : found.trimmed(at: horizon)
        }
        return 0
    }

    // MARK: - Changes and shards

    /// Changes an item, and says so in the table's stream. What changes nothing leaves no record (DG Streams).
    ///
    /// - Parameter makesRecord: no, for what an emulator forgets.
    /// - Returns: the item as it was before.
    @discardableResult
    mutating func change(
        _ key: ItemKey, to after: Attributes?, of name: Text, by author: Change.Author = .user, makesRecord: Bool = true
    ) -> Attributes? {
        let before = tables[name]?.items[key]
        let isChange = before != after || (settings.quirks.contains(.noChangeMakesRecord) && after != nil)
        guard isChange else { return before }
        tables[name]?.items[key] = after
        // Nobody promises a record of what is written while a stream is ENABLING.
        guard makesRecord, let ordinal = tables[name]?.stream, streams[ordinal].takesRecords(at: now) else {
            if makesRecord, remembersAll {
                unstreamed[name, default: []].append(UnstreamedChange(keys: key.bytes, made: now))
            }
            return before
        }
        let stream = streams[ordinal]
        let shard = stream.openShard(of: key.placement)
        let change = Change(key: key, before: before, after: after, author: author)
        let record = change.record(
            numbers.next(), of: stream, in: stream.shards[shard].id, at: now, settings.quirks)
        streams[ordinal].append(record, to: shard)
        changesMade += 1
        if remembersAll {
            history[name, default: []].append(record)
        } else if changesMade % 1024 == 0 {
            streams[ordinal].forget(at: horizon)
        }
        return before
    }

    mutating func addStream(_ view: StreamView, to name: Text, _ schema: KeySchema) {
        // Two streams of a table have different labels, however fast one follows the other.
        let newest = streams.last { $0.table == name }?.created ?? 0
        let created = max(now, newest + 1000)
        let label = CalendarDate.text(created)
        var stream = Stream(
            arn: Text("arn:aws:dynamodb:us-east-1:000000000000:table/\(name.string)/stream/\(label)"),
            label: Text(label), table: name, schema: schema, view: view, created: created,
            activeAt: now + settings.tableDelay)
        let shards = UInt64(max(1, settings.shards))
        let width = UInt64.max / shards
        for index in 0..<shards {
            stream.add(makeShard(nil, index * width...(index + 1 == shards ? .max : (index + 1) * width - 1)))
        }
        tables[name]?.stream = streams.count
        streams.append(stream)
    }

    /// Its shards are closed; what they hold can be read for as long as ever.
    mutating func disableStream(_ ordinal: Int) {
        for shard in streams[ordinal].open { streams[ordinal].close(shard, numbers.next(), at: now) }
        streams[ordinal].disabled = now
    }

    private mutating func replace(
        _ id: Text, of table: Text, _ heirs: (ClosedRange<UInt64>) -> [ClosedRange<UInt64>]
    ) -> [Text] {
        guard !settings.quirks.contains(.oneShard), let stream = tables[table]?.stream,
            let shard = streams[stream].ordinal(id), !streams[stream].shards[shard].isClosed
        else { return [] }
        let hashes = streams[stream].shards[shard].hashes
        streams[stream].close(shard, numbers.next(), at: now)
        let children = heirs(hashes).map { makeShard(id, $0) }
        for child in children { streams[stream].add(child) }
        if !remembersAll { streams[stream].forget(at: horizon) }
        return children.map(\.id)
    }

    /// Shard ids as they are seen: the time in milliseconds and something else (FACTS 1.5).
    private mutating func makeShard(_ parent: Text?, _ hashes: ClosedRange<UInt64>) -> Shard {
        shardsMade += 1
        let time = String(now / 1000)
        let tail = String(0x1000_0000 + shardsMade, radix: 16)
        return Shard(
            id: Text("shardId-\(String(repeating: "0", count: max(0, 20 - time.count)))\(time)-\(tail)"),
            parent: parent, hashes: hashes, starting: numbers.next(), made: now)
    }
}
