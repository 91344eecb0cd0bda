/// What a test or a demonstration does to the service from outside, besides calling it. `tools/StreamSim/README.md` lists it.
extension Simulator {
    package mutating func control(_ request: ControlRequest, at time: Int64) -> Reply {
        advance(to: time)
        do throws(ControlError) {
            var reply = Reply(status: 200, body: try controlled(request, at: time).bytes)
            reply.contentType = "application/json"
            return reply
        } catch {
            return error.reply
        }
    }

    private mutating func controlled(_ request: ControlRequest, at time: Int64) throws(ControlError) -> JSON {
        try Self.checkQuery(of: request)
        switch (request.method, request.path) {
        case ("GET", "/control/settings"): return settingsJSON
        case ("POST", "/control/settings"): return try changeSettings(Self.body(request))
        case ("GET", "/control/late-writes"): return lateWritesJSON
        case ("POST", "/control/release-late-writes"):
            return try release(Self.body(request, allowing: ["count"]))
        case ("GET", "/control/faults"): return faultsJSON
        case ("POST", "/control/faults"): return try changeFaults(Self.json(request))
        case ("GET", "/control/quirks"): return quirksJSON
        case ("POST", "/control/quirks"): return try changeQuirks(Self.json(request))
        case ("POST", "/control/split"): return try replaceShard(request, splits: true)
        case ("POST", "/control/roll-over"): return try replaceShard(request, splits: false)
        case ("POST", "/control/expire-iterators"):
            _ = try Self.body(request, allowing: [])
            expireIterators()
            return [:]
        case ("POST", "/control/trim"):
            let body = try Self.body(request, allowing: ["table", "keep"])
            let keep = try Self.integer("keep", of: body) ?? 0
            guard keep >= 0 else {
                throw ControlError("trim: 'keep' is 0 at least")
            }
            trim(try tableName(body), keeping: Int(clamping: keep))
            return [:]
        case ("POST", "/control/advance"):
            let body = try Self.body(request, allowing: ["seconds"])
            guard let seconds = body["seconds"]?.double, (0...1e10).contains(seconds) else {
                throw ControlError("advance: 'seconds' is a number, 0 at least")
            }
            let step = Int64(seconds * 1_000_000)
            guard now + step < Self.end else { throw ControlError("advance: no further than the year 9999") }
            offset += step
            advance(to: time)
            return ["now": .number(Text("\(Double(now) / 1_000_000)"))]
        case ("POST", "/control/expire-items"):
            _ = try Self.body(request, allowing: [])
            return ["expired": .number(Text("\(expireItems())"))]
        case ("POST", "/control/load"): return try load(request)
        case ("GET", "/control/records"): return try recordsJSON(request)
        case ("GET", "/control/items"):
            return ["items": .array(items(of: try tableName(request)).map(\.json))]
        case ("GET", "/control/shards"): return try shardsJSON(request)
        case ("GET", "/control/coverage"):
            return .object(
                coverage.sorted { $0.key < $1.key }.map {
                    JSON.Member(Text($0.key), .number(Text("\($0.value)")))
                })
        case ("GET", "/control/calls"):
            return .object(
                calls.sorted { $0.key < $1.key }.map { action, count in
                    JSON.Member(
                        action,
                        [
                            "calls": .number(Text("\(count.calls)")),
                            "most_in_a_second": .number(Text("\(count.mostInASecond)")),
                        ])
                })
        default:
            throw ControlError("\(request.method) \(request.path): there is no such thing here", status: 404)
        }
    }

    // MARK: - How it behaves

    private var settingsJSON: JSON {
        .object(
            SettingsField.all.map { JSON.Member($0.name, $0.read(settings)) }
                + [JSON.Member("seed", .number(Text("\(seed)")))])
    }

    private mutating func changeSettings(_ body: JSON) throws(ControlError) -> JSON {
        var changed = settings
        for member in body.members ?? [] {
            guard let field = SettingsField.all.first(where: { $0.name == member.name }) else {
                let names = SettingsField.all.map(\.name.string).joined(separator: ", ")
                throw ControlError("settings: no '\(member.name.string)'; there are \(names)")
            }
            guard field.write(member.value, &changed) else {
                throw ControlError("settings: '\(member.name.string)' does not take this value")
            }
        }
        settings = changed
        return settingsJSON
    }

    private var quirksJSON: JSON { .array(settings.quirks.map { .string(Text($0.rawValue)) }.sorted()) }

    private mutating func changeQuirks(_ list: JSON) throws(ControlError) -> JSON {
        guard let names = list.elements?.map({ $0.text?.string ?? "" }) else {
            throw ControlError("quirks: a list, please")
        }
        for name in names where Quirk(rawValue: name) == nil {
            let all = Quirk.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlError("quirks: no '\(name)'; there are \(all)")
        }
        settings.quirks = Set(names.compactMap(Quirk.init))
        return quirksJSON
    }

    // MARK: - What it does

    private mutating func replaceShard(_ request: ControlRequest, splits: Bool) throws(ControlError) -> JSON {
        let body = try Self.body(request, allowing: ["table", "shard"])
        let named = try Self.text("shard", of: body)
        let table = try tableName(body)
        let open = shards(of: table).filter { !$0.isClosed }.map(\.id)
        guard !open.isEmpty else { throw ControlError("\(table.string) has no open shard") }
        let shard = named ?? open[chance.below(open.count)]
        guard open.contains(shard) else { throw ControlError("\(shard.string) is no open shard of \(table.string)") }
        let children = splits ? split(shard, of: table) : rollOver(shard, of: table)
        return ["parent": .string(shard), "children": .array(children.map { .string($0) })]
    }

    /// The most changes that one call makes, since all else waits for it.
    private static let mostChanges: Int64 = 100_000

    private mutating func load(_ request: ControlRequest) throws(ControlError) -> JSON {
        let body = try Self.body(request, allowing: ["table", "changes", "per_second", "keys", "hot"])
        let table = try tableName(body)
        let keys = Int(try Self.integer("keys", of: body) ?? 100)
        let hot = Int(try Self.integer("hot", of: body) ?? Int64(max(1, keys / 5)))
        guard body["changes"] == nil || body["per_second"] == nil else {
            throw ControlError("load: 'changes' or 'per_second', and not both")
        }
        guard (1...10_000_000).contains(keys), hot >= 1 else {
            throw ControlError("load: 'keys' is 1 to 10000000, 'hot' 1 at least")
        }
        do throws(ServiceError) {
            if let changes = body["changes"] {
                guard let count = changes.integer, (0...Self.mostChanges).contains(count) else {
                    throw ServiceError.validation("load: 'changes' is 0 to \(Self.mostChanges)")
                }
                try load(table, changes: Int(count), keys: keys, hot: hot)
                return ["changes": changes]
            }
            guard let rate = body["per_second"]?.double, (0...100_000).contains(rate) else {
                throw ServiceError.validation("load: 'changes', or 'per_second' of 0 to 100000")
            }
            try steadyLoad(table, perSecond: rate, keys: keys, hot: hot)
            return ["per_second": .number(Text("\(rate)"))]
        } catch {
            throw ControlError(error)
        }
    }

    // MARK: - The truth

    private func recordsJSON(_ request: ControlRequest) throws(ControlError) -> JSON {
        let stream = request.query["stream"]
        let after = request.query["after"]
        let isNumber = after?.bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true
        guard isNumber, after?.isEmpty != true else { throw ControlError("records: 'after' is a sequence number") }
        let limit = request.query["limit"].map { Int($0.string) ?? 0 }
        guard (limit ?? 1) > 0 else { throw ControlError("records: 'limit' is a number, 1 at least") }
        let found = records(of: try tableName(request)).lazy.filter { record in
            (stream == nil || record.stream == stream)
                && (after.map { SequenceNumbers.isLess($0, record.sequenceNumber) } ?? true)
        }.prefix(limit ?? .max)
        var list: [JSON] = []
        for record in found {
            // What the service wrote itself it can read.
            guard let json = try? JSON(parsing: record.json) else { continue }
            list.append(
                [
                    "stream": .string(record.stream), "shard": .string(record.shard),
                    "sequence_number": .string(record.sequenceNumber), "record": json,
                ])
        }
        return ["records": .array(list)]
    }

    private func shardsJSON(_ request: ControlRequest) throws(ControlError) -> JSON {
        let table = try tableName(request)
        let list: [JSON] = streams.filter { $0.table == table }.flatMap { stream in
            stream.shards.map { shard in
                [
                    "stream": .string(stream.arn), "shard": .string(shard.id),
                    "parent": shard.parent.map { .string($0) } ?? .null,
                    "starting_sequence_number": .string(shard.starting),
                    "ending_sequence_number": shard.ending.map { .string($0) } ?? .null,
                    "records": .number(Text("\(shard.count)")),
                    "trimmed": .number(Text("\(shard.trimmed(at: horizon))")),
                    "gone": .bool(shard.isGone(at: horizon) || stream.isGone(at: horizon)),
                ] as JSON
            }
        }
        return ["shards": .array(list)]
    }

    // MARK: - Requests

    private func tableName(_ body: JSON) throws(ControlError) -> Text {
        try tableName(try Self.text("table", of: body))
    }

    private func tableName(_ request: ControlRequest) throws(ControlError) -> Text {
        try tableName(request.query["table"])
    }

    private func tableName(_ name: Text?) throws(ControlError) -> Text {
        guard let name else { throw ControlError("which 'table'?") }
        guard tables[name] != nil || streams.contains(where: { $0.table == name }) else {
            throw ControlError("there is no table \(name.string)")
        }
        return name
    }

    static func json(_ request: ControlRequest) throws(ControlError) -> JSON {
        do throws(JSONError) { return try JSON(parsing: request.body) } catch {
            throw ControlError("the body is \(error)")
        }
    }

    static func body(
        _ request: ControlRequest, allowing names: Set<Text>? = nil
    ) throws(ControlError) -> JSON {
        let body = try json(request)
        guard body.members != nil else { throw ControlError("the body is no JSON object") }
        if let names { try check(body, allowing: names) }
        return body
    }

    static func check(_ body: JSON, allowing names: Set<Text>) throws(ControlError) {
        guard let members = body.members else { throw ControlError("an object with \(list(names)), please") }
        for member in members where !names.contains(member.name) {
            throw ControlError("no '\(member.name.string)' here; there are \(list(names))")
        }
    }

    private static func list(_ names: Set<Text>) -> String { names.sorted().map(\.string).joined(separator: ", ") }

    private static func checkQuery(of request: ControlRequest) throws(ControlError) {
        let names: Set<Text> =
            switch request.path {
            case "/control/records": ["table", "stream", "after", "limit"]
            case "/control/items", "/control/shards": ["table"]
            default: []
            }
        for name in request.query.keys.sorted() where !names.contains(Text(name)) {
            throw ControlError("no '\(name)' here; there are \(list(names))")
        }
    }

    // An optional field is left out, and not null.

    static func text(_ name: Text, of body: JSON) throws(ControlError) -> Text? {
        guard let value = body[name] else { return nil }
        guard let text = value.text else { throw ControlError("'\(name)' is a string") }
        return text
    }

    static func integer(_ name: Text, of body: JSON) throws(ControlError) -> Int64? {
        guard let value = body[name] else { return nil }
        guard let number = value.integer else { throw ControlError("'\(name)' is a whole number") }
        return number
    }
}

extension JSON {
    fileprivate var double: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(text.string)
    }
}

extension [JSON] {
    fileprivate func sorted() -> [JSON] { sorted { ($0.text ?? "") < ($1.text ?? "") } }
}
