import Curl
import DynamoDB
import Foundation
import StreamModel
import StreamSim
import Synchronization
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("A DynamoDB target")
struct DynamoDBTargetTests {
    private static let people = TableSchema.people
    private static func key(_ id: String) -> String { #"{"id":{"S":"\#(id)"}}"# }
    private static func item(_ id: String, _ version: Int) -> String {
        #"{"id":{"S":"\#(id)"},"v":{"N":"\#(version)"}}"#
    }
    private static func put(_ id: String, _ version: Int) -> Feed.Entry {
        .modify(keys: key(id), old: nil, new: item(id, version))
    }

    private let endpoint = SimulatedEndpoint()

    /// Out of the doubt that it opens in.
    private func ready(_ options: [(String, String)] = []) async throws -> DynamoDBTarget {
        let target = try endpoint.target([("create", "true")] + options)
        try await target.open(recoveringTo: [])
        try await target.prepare(Self.people)
        endpoint.clock.leap(.seconds(3600))
        return target
    }

    private func refusal(_ body: () async throws -> Void) async -> TargetError? {
        do {
            try await body()
            return nil
        } catch { return error as? TargetError }
    }

    private func holds(_ items: [String]) throws -> Bool {
        try Set(endpoint.items(of: "people")) == Set(items.map { try WireValue.item($0) })
    }

    // MARK: Calls

    @Test("writes 25 items a call at most, and passes their bytes on as they came")
    func calls() async throws {
        let target = try await ready()
        let odd = #"{ "id" : {"S":"odd"} ,"n":{"N":"1.50"},"s":{"S":"\u00e9\/"}}"#
        _ = try await target.write([
            Feed.batch(
                Self.people,
                (0..<60).map { Self.put("\($0)", 1) } + [
                    .insert(keys: Self.key("odd"), new: odd), .remove(keys: Self.key("x")),
                ])
        ])
        let bodies = endpoint.bodies(of: "BatchWriteItem")
        let counts = bodies.map { $0.components(separatedBy: "Request\":{").count - 1 }
        #expect(counts.reduce(0, +) == 62)
        #expect(counts.max() == 25)
        #expect(bodies.contains { $0.contains(#"{"PutRequest":{"Item":\#(odd)}}"#) })
        #expect(bodies.contains { $0.contains(#"{"DeleteRequest":{"Key":\#(Self.key("x"))}}"#) })
    }

    @Test("Items that come back unprocessed, round after round, are written, and a key's last change stays")
    func unprocessed() async throws {
        let target = try await ready()
        endpoint.set { $0.unprocessedItems = 70 }
        for version in 1...3 {
            _ = try await target.write([
                Feed.batch(Self.people, first: version * 100, (0..<50).map { Self.put("\($0)", version) })
            ])
            #expect(try holds((0..<50).map { Self.item("\($0)", version) }))
        }
        #expect(endpoint.bodies(of: "BatchWriteItem").count > 9)
        #expect(!endpoint.clock.waits.isEmpty)
    }

    @Test("A throttled table is waited for; one that takes nothing for a minute is said to be out of reach")
    func throttled() async throws {
        let target = try await ready()
        let count = Mutex(0)
        endpoint.follow { action, _ in
            guard action == "BatchWriteItem" else { return .normal }
            let isThrottled = count.withLock { count in
                count += 1
                return count < 15
            }
            return isThrottled
                ? .answers(
                    status: 400, body: #"{"__type":"x#ProvisionedThroughputExceededException","message":"slow"}"#)
                : .normal
        }
        _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])])
        #expect(try holds([Self.item("ann", 1)]))
        endpoint.follow { _, _ in .normal }
        endpoint.set { $0.throttledTables = ["people"] }
        let error = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 2)])]) }
        #expect(error?.isRetryable == true)
        #expect(error?.description.contains("write capacity") == true)
    }

    // MARK: Late effects

    @Test(
        "A late effect of a call that was given up does not undo a newer change",
        arguments: DynamoDBSettings.Guard.allCases)
    func late(guarding: DynamoDBSettings.Guard) async throws {
        let target = try await ready([("guard", guarding.rawValue)])
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        _ = try await target.write([Feed.batch(Self.people, first: 1, [Self.put("ann", 1)])])
        let before = endpoint.clock.now
        _ = try await target.write([Feed.batch(Self.people, first: 2, [Self.put("ann", 2)])])
        #expect((before.duration(to: endpoint.clock.now) >= .seconds(9)) == (guarding == .wait))
        endpoint.clock.leap(.seconds(60))
        #expect(try holds([Self.item("ann", 2)]))
        #expect(endpoint.effectsThatCameLate == 1, "else nothing was tried")
    }

    @Test("Without the wait it would: this is what the guard is for")
    func unguarded() async throws {
        let target = try await ready([("settle", "0s")])
        endpoint.delayFirst(of: ["BatchWriteItem"], by: .seconds(8))
        _ = try await target.write([Feed.batch(Self.people, first: 1, [Self.put("ann", 1)])])
        _ = try await target.write([Feed.batch(Self.people, first: 2, [Self.put("ann", 2)])])
        endpoint.clock.leap(.seconds(60))
        #expect(try holds([Self.item("ann", 1)]))
    }

    @Test("Other keys, and the same change again, don't wait for a key in doubt")
    func othersGoOn() async throws {
        let target = try await ready()
        endpoint.delayFirst(of: ["BatchWriteItem"], by: .seconds(8))
        _ = try await target.write([Feed.batch(Self.people, first: 1, [Self.put("ann", 1)])])
        let before = endpoint.clock.now
        _ = try await target.write([
            Feed.batch(Self.people, first: 1, [Self.put("ann", 1)] + (0..<30).map { Self.put("\($0)", 1) })
        ])
        #expect(before.duration(to: endpoint.clock.now) == .zero)
    }

    @Test(
        "What a killed daemon has left under way does not undo what the next one writes",
        arguments: DynamoDBSettings.Guard.allCases)
    func killed(guarding: DynamoDBSettings.Guard) async throws {
        let options = [("create", "true"), ("guard", guarding.rawValue)]
        let target = try await ready([("guard", guarding.rawValue)])
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        let dying = Task { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        dying.cancel()
        _ = await dying.result
        let next = try endpoint.target(options)
        try await next.open(recoveringTo: [])
        try await next.prepare(Self.people)
        _ = try await next.write([Feed.batch(Self.people, [Self.put("ann", 1), Self.put("ann", 2)])])
        endpoint.clock.leap(.seconds(60))
        #expect(try holds([Self.item("ann", 2)]))
    }

    @Test("A transaction that nobody answers is asked again by its token before anything newer is written")
    func unresolved() async throws {
        let target = try await ready([("guard", "transaction")])
        endpoint.follow { action, _ in action == "TransactWriteItems" ? .late(.seconds(400)) : .normal }
        let error = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        _ = try await target.write([Feed.batch(Self.people, first: 2, [Self.put("ann", 2)])])
        // Within the ten minutes of a token; a request that is five minutes old has no good signature any more.
        endpoint.clock.leap(.seconds(450))
        #expect(try holds([Self.item("ann", 2)]))
        let tokens = endpoint.bodies(of: "TransactWriteItems").map { $0.components(separatedBy: "\"")[3] }
        #expect(Set(tokens).count == 2)
        #expect(tokens.dropLast().allSatisfy { $0 == tokens[0] })
    }

    @Test(
        "A late effect of a repair beside the daemon does not undo what the daemon writes after it",
        arguments: DynamoDBSettings.Guard.allCases)
    func beside(guarding: DynamoDBSettings.Guard) async throws {
        let daemon = try await ready([("guard", guarding.rawValue)])
        let beside = try endpoint.target([("guard", guarding.rawValue)])
        try await beside.openBeside()
        try await beside.prepare(Self.people)
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        _ = try await beside.write([Feed.batch(Self.people, first: 1, [Self.put("ann", 1)])])
        _ = try await daemon.write([Feed.batch(Self.people, first: 2, [Self.put("ann", 2)])])
        endpoint.clock.leap(.seconds(60))
        #expect(try holds([Self.item("ann", 2)]))
        #expect(endpoint.effectsThatCameLate == 1, "else nothing was tried")
    }

    @Test("A repair that fails leaves no transaction open that could still be answered")
    func besideUnresolved() async throws {
        _ = try await ready()
        let beside = try endpoint.target([("guard", "transaction")])
        try await beside.openBeside()
        try await beside.prepare(Self.people)
        let tries = RetryPolicy().maximumAttempts
        let count = Mutex(0)
        endpoint.follow { action, _ in
            guard action == "TransactWriteItems" else { return .normal }
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number <= tries ? .late(.seconds(200)) : .normal
        }
        let error = await refusal { _ = try await beside.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        #expect(error?.isRetryable == true)
        #expect(await beside.unresolved.isEmpty)
    }

    @Test("A write that waits for a key in doubt ends when it is cancelled")
    func cancelled() async throws {
        let target = try endpoint.target([("create", "true"), ("settle", "3600s")])
        try await target.open(recoveringTo: [])
        try await target.prepare(Self.people)
        let ending = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])])
        }
        ending.cancel()
        let error = await refusal { try await ending.value }
        #expect(error?.isRetryable == true)
        #expect(endpoint.bodies(of: "BatchWriteItem").isEmpty)
    }

    // MARK: Records that are refused

    @Test(
        "One bad record among many is named, and the others can be written", arguments: DynamoDBSettings.Guard.allCases,
        [0, 7, 24, 29])
    func badRecord(guarding: DynamoDBSettings.Guard, place: Int) async throws {
        let target = try await ready([("guard", guarding.rawValue)])
        var entries = (0..<30).map { Self.put("\($0)", 1) }
        let bad = #"{"id":{"S":"\#(place)"},"v":{"N":"1E+300"}}"#
        entries[place] = .insert(keys: Self.key("\(place)"), new: bad)
        let batch = Feed.batch(Self.people, entries)
        let error = await refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, _, let reason, let change?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change == batch.parts[0].changes[place])
        #expect(reason.contains("refuses"))
        _ = try await target.write([batch.without(change)])
        #expect(try holds((0..<30).filter { $0 != place }.map { Self.item("\($0)", 1) }))
    }

    @Test("A table that was made again with another key is nobody's record's fault")
    func otherKey() async throws {
        let target = try await ready()
        endpoint.ask("DeleteTable", #"{"TableName":"people"}"#)
        endpoint.makeTable("people", key: "name")
        let error = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("its key is name (S)") == true)
    }

    // MARK: What stops

    @Test(
        "What an operator must do is said",
        arguments: [
            ("AccessDeniedException", "allow dynamodb:BatchWriteItem"), ("UnrecognizedClientException", "access key"),
            ("ResourceNotFoundException", "create=true"), ("UnknownOperationException", "guard=transaction"),
        ])
    func stops(code: String, words: String) async throws {
        let target = try await ready()
        endpoint.follow { action, _ in
            action == "BatchWriteItem"
                ? .answers(status: 400, body: #"{"__type":"x#\#(code)","message":"m"}"#) : .normal
        }
        let error = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains("localsecret") == false)
    }

    @Test("A transaction in whose way only missing rights are stops, and is not made again for ever")
    func reasonStops() async throws {
        let target = try await ready([("guard", "transaction")])
        endpoint.follow { action, _ in
            action == "TransactWriteItems"
                ? .answers(
                    status: 400,
                    body: #"{"__type":"x#TransactionCanceledException","message":"cancelled [None, AccessDenied]"}"#)
                : .normal
        }
        let batch = Feed.batch(Self.people, [Self.put("ann", 1), Self.put("bob", 1)])
        let error = await refusal { _ = try await target.write([batch]) }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("allow the write") == true)
        #expect(endpoint.bodies(of: "TransactWriteItems").count == 1)
    }

    @Test("An endpoint that is out of reach may come back")
    func unreachable() async throws {
        let target = try await ready()
        endpoint.follow { _, _ in .fails(.unreachable(reason: "nobody listens")) }
        let error = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        let before = endpoint.clock.now
        _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 2)])])
        #expect(before.duration(to: endpoint.clock.now) == .zero, "what never arrived can't come late")
        #expect(try holds([Self.item("ann", 2)]))
    }

    // MARK: Tables

    @Test("A table that is missing is made where that was said, and waited for")
    func made() async throws {
        let plain = try endpoint.target()
        try await plain.open(recoveringTo: [])
        #expect(await refusal { try await plain.prepare(Self.people) }?.description.contains("create=true") == true)
        #expect(try await plain.survey(Self.people).unfit?.contains("create=true") == true)
        #expect(!plain.copiesDesign)

        endpoint.set { $0.tableDelay = 7_000_000 }
        let target = try endpoint.target([("create", "true")])
        #expect(target.copiesDesign)
        #expect(try await target.survey(Self.people).unfit == nil)
        try await target.prepare(Self.people)
        #expect(endpoint.clock.now.offset >= .seconds(7))
        #expect(endpoint.ask("DescribeTable", #"{"TableName":"people"}"#).body.contains("PAY_PER_REQUEST"))
        #expect(try await target.hasPlace(for: Self.people.name))
    }

    @Test("A table with another key is refused, with what differs")
    func misfit() async throws {
        endpoint.makeTable("people", key: "name")
        let target = try endpoint.target()
        let words = "its key is name (S), where id (S) is needed"
        #expect(await refusal { try await target.prepare(Self.people) }?.description.contains(words) == true)
        #expect(try await target.survey(Self.people).unfit?.contains(words) == true)
    }

    @Test("Tables are called as was said, and a name that none can have is refused")
    func named() async throws {
        let target = try endpoint.target([("create", "true"), ("tables/people", "leute"), ("prefix", "eu_")])
        try await target.prepare(Self.people)
        try await target.prepare(.orders)
        #expect(endpoint.ask("ListTables", "{}").body.contains(#"["eu_shop.orders-2026","leute"]"#))
        _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])])
        #expect(try endpoint.items(of: "leute").count == 1)
        #expect(try await target.keys(of: Self.people, after: nil, limit: 5)?.count == 1)
        let bad = try endpoint.target([("create", "true"), ("tables/people", "a b")])
        #expect(await refusal { try await bad.prepare(Self.people) }?.description.contains("3 to 255") == true)
    }

    @Test("Two tables in one are refused, before anything in it is touched")
    func shared() async throws {
        let target = try await ready([
            ("existing", "replace"), ("tables/people", "eu_shop.orders-2026"), ("prefix", "eu_"),
        ])
        _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])])
        let words = "people and \(TableSchema.orders.name)"
        for error in [
            await refusal { _ = try await target.begin(TableSchema.orders.name) },
            await refusal { try await target.prepare(.orders) },
        ] {
            #expect(error?.isRetryable == false && error?.description.contains(words) == true)
        }
        #expect(try await target.survey(.orders).unfit?.contains(words) == true)
        #expect(try endpoint.items(of: "eu_shop.orders-2026").count == 1)
    }

    @Test("What lies there is dealt with as was said", arguments: [ExistingPolicy.refuse, .append, .replace])
    func existing(policy: ExistingPolicy) async throws {
        let before = try await ready()
        _ = try await before.write([Feed.batch(Self.people, [Self.put("ann", 1)])])
        let target = try endpoint.target([("create", "true")], existing: policy)
        try await target.open(recoveringTo: [])
        switch policy {
        case .append: #expect(try await target.begin(Self.people.name)?.contains("filled on") == true)
        case .replace:
            #expect(try await target.begin(Self.people.name)?.contains("dropped") == true)
            try await target.prepare(Self.people)
        default:
            #expect(
                await refusal { _ = try await target.begin(Self.people.name) }?.description.contains("--existing")
                    == true)
        }
        #expect(try endpoint.items(of: "people").count == (policy == .replace ? 0 : 1))
        #expect(try await target.survey(Self.people).contents == (policy == .replace ? .empty : .filled))
        if policy == .replace { #expect(try await target.begin(Self.people.name) == nil) }
    }

    @Test(
        "Options that can't be are refused, with what can",
        arguments: [
            ("settle", "soon", "duration"), ("settle", "2h", "duration"), ("connections", "0", "1 to 64"),
            ("external_id", "x", "role"), ("role", "admin", "ARN"),
        ])
    func options(name: String, value: String, words: String) async throws {
        let error = await refusal { _ = try endpoint.target([(name, value)]) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test("A table can't be renamed, and is not dropped where none is made")
    func policies() async throws {
        #expect(
            await refusal { _ = try endpoint.target(existing: .rename) }?.description.contains("another name") == true)
        #expect(
            await refusal { _ = try endpoint.target(existing: .replace) }?.description.contains("create=true") == true)
    }

    @Test(
        "A table is made with the source's indexes, billing, time to live and tags", arguments: ["copy", "on-demand"])
    func design(billing: String) async throws {
        func text(_ name: String) -> KeyAttribute { KeyAttribute(name: Array(name.utf8), type: .string) }
        let target = try endpoint.target([
            ("create", "true"), ("billing", billing), ("tables/shop.orders-2026", "copy"),
        ])
        var design = TableDesign(
            indexes: [
                SecondaryIndex(
                    name: "local", scope: .local, hash: text("customer"), range: text("é"), projection: .keysOnly),
                SecondaryIndex(
                    name: "global", scope: .global(.init(reads: 3, writes: 4)), hash: text("by"), range: nil,
                    projection: .include([Array("x\"y".utf8), Array("z".utf8)])),
                SecondaryIndex(
                    name: "all", scope: .global(.init(reads: 5, writes: 6)), hash: text("by"),
                    range: KeyAttribute(name: Array("number".utf8), type: .number), projection: .all),
            ], billing: .provisioned(.init(reads: 7, writes: 8)), timeToLive: Array("until".utf8),
            tags: [.init(key: "team", value: "a & \"b\"")])
        try await target.prepare(.orders, like: design)
        #expect(await target.takeRemarks() == [])
        let made = try await target.client.design(of: try await target.client.describeTable(TableName("copy")))
        if billing == "on-demand" {
            design.billing = .onDemand
            design.indexes = design.indexes.map { index in
                guard case .global = index.scope else { return index }
                return SecondaryIndex(
                    name: index.name, scope: .global(nil), hash: index.hash, range: index.range,
                    projection: index.projection)
            }
        }
        #expect(made.billing == design.billing)
        #expect(Set(made.indexes) == Set(design.indexes))
        #expect(made.timeToLive == design.timeToLive)
        #expect(made.tags == design.tags)
        #expect(made.unread == [])
        // Again, and where an index is missing from what is there.
        try await target.prepare(.orders, like: design)
        #expect(await target.takeRemarks() == [])
        design.indexes.append(
            SecondaryIndex(name: "later", scope: .global(nil), hash: text("by"), range: nil, projection: .all))
        try await target.prepare(.orders, like: design)
        #expect(await target.takeRemarks().first?.contains("without the indexes later") == true)
    }

    @Test("Time to live and tags that may not be set or read are said, and keep nobody from writing")
    func partial() async throws {
        endpoint.makeTable("people", key: "id")
        endpoint.follow { action, _ in
            ["UpdateTimeToLive", "TagResource", "DescribeTimeToLive", "ListTagsOfResource"].contains(action)
                ? .answers(status: 400, body: #"{"__type":"x#AccessDeniedException","message":"no"}"#) : .normal
        }
        let target = try endpoint.target([("create", "true"), ("prefix", "copy_")])
        let table = try await target.client.describeTable(Self.people.name)
        let read = try await target.client.design(of: table)
        #expect(read.unread.count == 2)
        #expect(read.unread[0].contains("allow dynamodb:DescribeTimeToLive"))
        #expect(read.unread[1].contains("allow dynamodb:ListTagsOfResource"))

        var design = table.design
        design.timeToLive = Array("until".utf8)
        design.tags = [.init(key: "team", value: "a"), .init(key: "aws:cloudformation:stack-name", value: "b")]
        try await target.prepare(Self.people, like: design)
        let remarks = await target.takeRemarks()
        #expect(remarks.count == 2)
        #expect(remarks.allSatisfy { $0.contains("could not be set") && $0.contains("copy_people") })
        #expect(await target.takeRemarks() == [])
        #expect(endpoint.bodies(of: "TagResource").first?.contains("aws:") == true, "the ARN's own")
        #expect(endpoint.bodies(of: "TagResource").first?.contains("cloudformation") == false)

        endpoint.follow { _, _ in .normal }
        try await target.prepare(Self.people, like: design)
        #expect(await target.takeRemarks().first?.contains("without the source's time to live (until)") == true)
    }

    private static var furnished: TableDesign {
        TableDesign(timeToLive: Array("until".utf8), tags: [.init(key: "team", value: "a")])
    }

    @Test(
        "What a table still lacked when its making was interrupted is set when it is tried again",
        arguments: ["CreateTable", "DescribeTable", "UpdateTimeToLive", "TagResource"], [true, false])
    func unfinished(interrupted: String, isDone: Bool) async throws {
        let target = try endpoint.target([("create", "true")])
        let looks = Mutex(0)
        let tries = Mutex(0)
        endpoint.follow { action, _ in
            // The first look finds no table yet.
            if action == "DescribeTable" {
                let isFirst = looks.withLock { looks in
                    looks += 1
                    return looks == 1
                }
                if isFirst { return .normal }
            }
            guard action == interrupted else { return .normal }
            let isFirst = tries.withLock { tries in
                tries += 1
                return tries == 1
            }
            return isFirst && isDone ? .answerLost : .fails(.unreachable(reason: "nobody listens"))
        }
        let error = await refusal { try await target.prepare(Self.people, like: Self.furnished) }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        try await target.prepare(Self.people, like: Self.furnished)
        #expect(await target.takeRemarks() == [])
        let made = try await target.client.design(of: try await target.client.describeTable(Self.people.name))
        #expect(made.timeToLive == Self.furnished.timeToLive)
        #expect(made.tags == Self.furnished.tags)
    }

    @Test("A time to live that a try has set whose answer was lost is there")
    func timeToLiveAnswerLost() async throws {
        let target = try endpoint.target([("create", "true")])
        let tries = Mutex(0)
        endpoint.follow { action, _ in
            guard action == "UpdateTimeToLive" else { return .normal }
            let isFirst = tries.withLock { tries in
                tries += 1
                return tries == 1
            }
            return isFirst
                ? .answerLost
                : .answers(
                    status: 400, body: #"{"__type":"x#ValidationException","message":"TimeToLive is already enabled"}"#)
        }
        try await target.prepare(Self.people, like: Self.furnished)
        #expect(await target.takeRemarks() == [])
    }

    @Test("A table that was there before without the source's tags, or with others, is said at each start")
    func otherTags() async throws {
        endpoint.makeTable("people", key: "id")
        let target = try endpoint.target([("create", "true")])
        var design = Self.furnished
        design.timeToLive = nil
        design.tags += [.init(key: "cost", value: "1"), .init(key: "aws:cloudformation:stack-name", value: "b")]
        try await target.prepare(Self.people, like: design)
        #expect(await target.takeRemarks().first?.contains("without the source's tags (cost, team)") == true)
        #expect(endpoint.bodies(of: "TagResource").isEmpty)
        let arn = try await target.client.describeTable(Self.people.name).arn ?? ""
        endpoint.ask(
            "TagResource",
            #"{"ResourceArn":"\#(arn)","Tags":[{"Key":"cost","Value":"2"},{"Key":"team","Value":"a"}]}"#)
        try await target.prepare(Self.people, like: design)
        #expect(await target.takeRemarks().first?.contains("without the source's tags (cost)") == true)
    }

    @Test(
        "Only a try that may have arrived is one whose outcome nobody knows",
        arguments: [
            (SimulatedEndpoint.Course.fails(.timedOut(reason: "")), true), (.fails(.broken(reason: "")), true),
            (.fails(.unreachable(reason: "")), false), (.answers(status: 500, body: "{}"), true),
            (.answers(status: 503, body: "<html>"), true), (.answers(status: 200, body: "<html>"), true),
            (.answers(status: 200, body: "{}"), true),
            (.answers(status: 400, body: #"{"__type":"x#ThrottlingException"}"#), false),
            (.answers(status: 400, body: #"{"__type":"x#ValidationException"}"#), false),
        ])
    func unknown(course: SimulatedEndpoint.Course, isUnknown: Bool) async throws {
        let target = try await ready()
        endpoint.follow { action, _ in action == "BatchWriteItem" ? course : .normal }
        _ = await refusal { _ = try await target.write([Feed.batch(Self.people, [Self.put("ann", 1)])]) }
        let isClear = await target.doubts.isClear(at: target.surroundings.uptime())
        #expect(isClear == !isUnknown)
    }

    // MARK: Loops

    private static let here = TargetRequest.Source(region: "eu-west-1", endpoint: "http://localhost:8000")
    private static let elsewhere = TargetRequest.Source(region: "eu-west-1", endpoint: "http://127.0.0.1:8000")

    @Test(
        "The source's own table is neither written to nor dropped",
        arguments: ExistingPolicy.allCases.filter { $0 != .rename })
    func loop(policy: ExistingPolicy) async throws {
        endpoint.makeTable("people", key: "id")
        endpoint.ask("PutItem", #"{"TableName":"people","Item":{"id":{"S":"ann"}}}"#)
        for source in [Self.here, Self.elsewhere] {
            let target = try endpoint.target([("create", "true")], existing: policy, source: source)
            try await target.open(recoveringTo: [])
            for error in [
                await refusal { _ = try await target.begin(Self.people.name) },
                await refusal { try await target.prepare(Self.people) },
            ] { #expect(error?.description.contains("without an end") == true, "\(String(describing: error))") }
            #expect(try await target.survey(Self.people).unfit?.contains("without an end") == true)
        }
        #expect(try endpoint.items(of: "people").count == 1)
        let other = try endpoint.target([("create", "true"), ("prefix", "copy_")], source: Self.here)
        try await other.prepare(Self.people)
    }

    @Test("A store that gives no TableId is known by its table's creation time, whatever host it is reached by")
    func loopWithoutIDs() async throws {
        endpoint.makeTable("people", key: "id")
        endpoint.ask("PutItem", #"{"TableName":"people","Item":{"id":{"S":"ann"}}}"#)
        let described = endpoint.ask("DescribeTable", #"{"TableName":"people"}"#).body
            .replacing(/"TableId":"[^"]*",/, with: "")
        endpoint.follow { action, _ in action == "DescribeTable" ? .answers(status: 200, body: described) : .normal }
        // Alternator has said the current time, which any two tables have in common.
        let other = try endpoint.target(existing: .append, source: Self.elsewhere)
        #expect(try await other.begin(Self.people.name)?.contains("filled on") == true)
        endpoint.clock.leap(.seconds(3600))
        let target = try endpoint.target([("create", "true")], existing: .replace, source: Self.elsewhere)
        try await target.open(recoveringTo: [])
        let error = await refusal { _ = try await target.begin(Self.people.name) }
        #expect(error?.description.contains("without an end") == true, "\(String(describing: error))")
        #expect(endpoint.bodies(of: "DeleteTable").isEmpty)
        #expect(try endpoint.items(of: "people").count == 1)
    }

    // MARK: Attributes

    @Test("Replication attributes are stripped by option, also where the copy is compared")
    func strip() async throws {
        let target = try await ready([("strip_replication", "true")])
        let item = #"{"id":{"S":"ann"},"aws:rep:updatetime":{"N":"1"},"aws:rep:deleting":{"BOOL":false},"v":{"N":"1"}}"#
        _ = try await target.write([Feed.batch(Self.people, [.insert(keys: Self.key("ann"), new: item)])])
        #expect(try holds([Self.item("ann", 1)]))
        let kept = target.kept([Array("id".utf8): .null, Array("aws:rep:deleting".utf8): .null])
        #expect(kept.keys.map { String(decoding: $0, as: UTF8.self) } == ["id"])
    }

    // MARK: Roles

    @Test("A role is assumed, its credentials used, and assumed again before they expire")
    func role() async throws {
        let clock = endpoint.clock
        endpoint.onRole = { number in
            """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
            <AccessKeyId>ROLEKEY\(number)</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>
            <SessionToken>token\(number)</SessionToken><Expiration>\(clock.timestamp + .seconds(3600))</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>
            """
        }
        let target = try endpoint.target([
            ("create", "true"), ("role", "arn:aws:iam::123456789012:role/shake"), ("external_id", "a b&c"),
        ])
        try await target.open(recoveringTo: [])
        try await target.prepare(Self.people)
        #expect(endpoint.keysUsed == ["ROLEKEY1"])
        #expect(
            endpoint.rolesAssumed.first?.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fshake") == true)
        #expect(endpoint.rolesAssumed.first?.contains("ExternalId=a%20b%26c") == true)
        clock.leap(.seconds(3400))
        try await target.prepare(Self.people)
        #expect(endpoint.keysUsed == ["ROLEKEY1", "ROLEKEY2"])
        #expect(target.name == "dynamodb:eu-west-1 at http://localhost:8000 role arn:aws:iam::123456789012:role/shake")
    }

    @Test("A role that may not be assumed is said, with whom to ask")
    func roleRefused() async throws {
        endpoint.onRole = { _ in
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
        }
        let target = try endpoint.target([("role", "arn:aws:iam::123456789012:role/shake")])
        let error = await refusal { try await target.open(recoveringTo: []) }
        #expect(error?.description.contains("allow sts:AssumeRole") == true, "\(String(describing: error))")
        #expect(error?.isRetryable == false)
    }
}
