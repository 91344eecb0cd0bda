/// The faults, as the control interface lists them, and the writes that they have made late.
extension Simulator {
    var faultsJSON: JSON {
        .array(
            settings.faultRules.map { rule in
                var members: [JSON.Member] = [
                    JSON.Member("action", .string(rule.action ?? "*")),
                    JSON.Member("fault", .string(Text(rule.fault.rawValue))),
                    JSON.Member("percent", .integer(rule.percent)),
                ]
                if let count = rule.count { members.append(JSON.Member("count", .integer(count))) }
                switch rule.effect {
                case .whenTold: break
                case .after(let wait): members.append(JSON.Member("after_ms", .integer(wait / 1000)))
                case .afterWrites(let count): members.append(JSON.Member("after_writes", .integer(count)))
                }
                return .object(members)
            })
    }

    mutating func changeFaults(_ list: JSON) throws(ControlError) -> JSON {
        guard let elements = list.elements else { throw ControlError("faults: a list, please") }
        var rules: [FaultRule] = []
        for element in elements { rules.append(try Self.rule(element)) }
        settings.faultRules = rules
        return faultsJSON
    }

    private static func rule(_ element: JSON) throws(ControlError) -> FaultRule {
        try check(element, allowing: ["action", "fault", "percent", "count", "after_ms", "after_writes"])
        guard let name = element["fault"]?.text, let fault = Fault(rawValue: name.string) else {
            let names = Fault.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlError("faults: 'fault' is one of \(names)")
        }
        let percent = try integer("percent", of: element) ?? 100
        let count = try integer("count", of: element)
        guard (0...100).contains(percent), (count ?? 0) >= 0 else {
            throw ControlError("faults: 'percent' is 0 to 100, 'count' 0 at least")
        }
        let action = try text("action", of: element) ?? "*"
        guard action == "*" || Call.actions.contains(action) else {
            let names = Call.actions.sorted().map(\.string).joined(separator: ", ")
            throw ControlError("faults: 'action' is * or one of \(names)")
        }
        if let actions = fault.actions, action != "*", !actions.contains(action) {
            let names = actions.sorted().map(\.string).joined(separator: ", ")
            throw ControlError("faults: '\(fault.rawValue)' meets only some calls: 'action' is * or one of \(names)")
        }
        return FaultRule(
            fault, of: action == "*" ? nil : action, percent: Int(percent), count: count.map { Int($0) },
            effect: try effect(element, of: fault))
    }

    private static func effect(_ element: JSON, of fault: Fault) throws(ControlError) -> LateEffect {
        let wait = try integer("after_ms", of: element)
        let writes = try integer("after_writes", of: element)
        if wait == nil, writes == nil { return .whenTold }
        guard fault == .lateEffect else {
            throw ControlError("faults: 'after_ms' and 'after_writes' are of '\(Fault.lateEffect.rawValue)'")
        }
        switch (wait, writes) {
        case (let wait?, nil) where (0...4_000_000_000_000).contains(wait): return .after(wait * 1000)
        case (nil, let writes?) where (1...1_000_000).contains(writes): return .afterWrites(Int(writes))
        default:
            throw ControlError("faults: 'after_ms' of 0 at least, or 'after_writes' of 1 at least, and not both")
        }
    }

    // MARK: - Late writes

    var lateWritesJSON: JSON {
        ["late_writes": .array(lateWrites.map { ["action": .string($0.request.action)] })]
    }

    mutating func release(_ body: JSON) throws(ControlError) -> JSON {
        let count = try Self.integer("count", of: body)
        guard (count ?? 0) >= 0 else { throw ControlError("release-late-writes: 'count' is 0 at least") }
        return ["released": .integer(releaseLateWrites(count.map { Int($0) }))]
    }
}
