import Curl
import DynamoDB
import Foundation
import StreamModel
import StreamSim
import Synchronization
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("The tables of a DynamoDB target")
struct DynamoDBTablesTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    @Test("A table that is missing is made where that was said, and waited for")
    func made() async throws {
        let plain = try endpoint.target()
        try await plain.open(recoveringTo: [])
        #expect(
            await bench.refusal { try await plain.prepare(TableSchema.people) }?.description.contains("create=true")
                == true)
        #expect(try await plain.survey(TableSchema.people).unfit?.contains("create=true") == true)
        #expect(!plain.copiesDesign)

        endpoint.set { $0.tableDelay = 7_000_000 }
        let target = try endpoint.target([("create", "true")])
        #expect(target.copiesDesign)
        #expect(try await target.survey(TableSchema.people).unfit == nil)
        try await target.prepare(TableSchema.people)
        #expect(endpoint.clock.now.offset >= .seconds(7))
        #expect(endpoint.ask("DescribeTable", #"{"TableName":"people"}"#).body.contains("PAY_PER_REQUEST"))
        #expect(try await target.hasPlace(for: TableSchema.people.name))
    }

    @Test("A table with another key is refused, with what differs")
    func misfit() async throws {
        endpoint.makeTable("people", key: "name")
        let target = try endpoint.target()
        let words = "its key is name (S), where id (S) is needed"
        #expect(
            await bench.refusal { try await target.prepare(TableSchema.people) }?.description.contains(words) == true)
        #expect(try await target.survey(TableSchema.people).unfit?.contains(words) == true)
    }

    @Test("Tables are called as was said, and a name that none can have is refused")
    func named() async throws {
        let target = try endpoint.target([("create", "true"), ("tables/people", "leute"), ("prefix", "eu_")])
        try await target.prepare(TableSchema.people)
        try await target.prepare(.orders)
        #expect(endpoint.ask("ListTables", "{}").body.contains(#"["eu_shop.orders-2026","leute"]"#))
        _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        #expect(try endpoint.items(of: "leute").count == 1)
        #expect(try await target.keys(of: TableSchema.people, after: nil, limit: 5)?.count == 1)
        let bad = try endpoint.target([("create", "true"), ("tables/people", "a b")])
        #expect(
            await bench.refusal { try await bad.prepare(TableSchema.people) }?.description.contains("3 to 255") == true)
    }

    @Test("Two tables in one are refused, before anything in it is touched")
    func shared() async throws {
        let target = try await bench.ready([
            ("existing", "replace"), ("tables/people", "eu_shop.orders-2026"), ("prefix", "eu_"),
        ])
        _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        let words = "people and \(TableSchema.orders.name)"
        for error in [
            await bench.refusal { _ = try await target.begin(TableSchema.orders.name) },
            await bench.refusal { try await target.prepare(.orders) },
        ] {
            #expect(error?.isRetryable == false && error?.description.contains(words) == true)
        }
        #expect(try await target.survey(.orders).unfit?.contains(words) == true)
        #expect(try endpoint.items(of: "eu_shop.orders-2026").count == 1)
    }

    @Test("What lies there is dealt with as was said", arguments: [ExistingPolicy.refuse, .append, .replace])
    func existing(policy: ExistingPolicy) async throws {
        let before = try await bench.ready()
        _ = try await before.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        let target = try endpoint.target([("create", "true")], existing: policy)
        try await target.open(recoveringTo: [])
        switch policy {
        case .append: #expect(try await target.begin(TableSchema.people.name)?.contains("filled on") == true)
        case .replace:
            #expect(try await target.begin(TableSchema.people.name)?.contains("dropped") == true)
            try await target.prepare(TableSchema.people)
        default:
            #expect(
                await bench.refusal { _ = try await target.begin(TableSchema.people.name) }?.description.contains(
                    "--existing")
                    == true)
        }
        #expect(try endpoint.items(of: "people").count == (policy == .replace ? 0 : 1))
        #expect(try await target.survey(TableSchema.people).contents == (policy == .replace ? .empty : .filled))
        if policy == .replace { #expect(try await target.begin(TableSchema.people.name) == nil) }
    }

    @Test(
        "Options that can't be are refused, with what can",
        arguments: [
            ("settle", "soon", "duration"), ("settle", "2h", "duration"), ("connections", "0", "1 to 64"),
            ("external_id", "x", "role"), ("role", "admin", "ARN"),
        ])
    func options(name: String, value: String, words: String) async throws {
        let error = await bench.refusal { _ = try endpoint.target([(name, value)]) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test(
        "How long a doubt lasts is spelled as every duration is, up to an hour",
        arguments: [
            ("1h", Duration.seconds(3600)), ("1m30s", .seconds(90)), ("500ms", .milliseconds(500)), ("7", .seconds(7)),
        ])
    func durations(text: String, duration: Duration) throws {
        let options = TargetOptions([TargetOptions.Entry(path: ["settle"], value: text)])
        let request = TargetRequest(url: "dynamodb:", rest: "", options: options)
        #expect(try DynamoDBSettings(request).settle == duration)
    }

    @Test("A table can't be renamed, and is not dropped where none is made")
    func policies() async throws {
        #expect(
            await bench.refusal { _ = try endpoint.target(existing: .rename) }?.description.contains("another name")
                == true)
        #expect(
            await bench.refusal { _ = try endpoint.target(existing: .replace) }?.description.contains("create=true")
                == true)
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
        let table = try await target.client.describeTable(TableSchema.people.name)
        let read = try await target.client.design(of: table)
        #expect(read.unread.count == 2)
        #expect(read.unread[0].contains("allow dynamodb:DescribeTimeToLive"))
        #expect(read.unread[1].contains("allow dynamodb:ListTagsOfResource"))

        var design = table.design
        design.timeToLive = Array("until".utf8)
        design.tags = [.init(key: "team", value: "a"), .init(key: "aws:cloudformation:stack-name", value: "b")]
        try await target.prepare(TableSchema.people, like: design)
        let remarks = await target.takeRemarks()
        #expect(remarks.count == 2)
        #expect(remarks.allSatisfy { $0.contains("could not be set") && $0.contains("copy_people") })
        #expect(await target.takeRemarks() == [])
        #expect(endpoint.bodies(of: "TagResource").first?.contains("aws:") == true, "the ARN's own")
        #expect(endpoint.bodies(of: "TagResource").first?.contains("cloudformation") == false)

        endpoint.follow { _, _ in .normal }
        try await target.prepare(TableSchema.people, like: design)
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
        let error = await bench.refusal { try await target.prepare(TableSchema.people, like: Self.furnished) }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        try await target.prepare(TableSchema.people, like: Self.furnished)
        #expect(await target.takeRemarks() == [])
        let made = try await target.client.design(of: try await target.client.describeTable(TableSchema.people.name))
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
        try await target.prepare(TableSchema.people, like: Self.furnished)
        #expect(await target.takeRemarks() == [])
    }

    @Test("A table that was there before without the source's tags, or with others, is said at each start")
    func otherTags() async throws {
        endpoint.makeTable("people", key: "id")
        let target = try endpoint.target([("create", "true")])
        var design = Self.furnished
        design.timeToLive = nil
        design.tags += [.init(key: "cost", value: "1"), .init(key: "aws:cloudformation:stack-name", value: "b")]
        try await target.prepare(TableSchema.people, like: design)
        #expect(await target.takeRemarks().first?.contains("without the source's tags (cost, team)") == true)
        #expect(endpoint.bodies(of: "TagResource").isEmpty)
        let arn = try await target.client.describeTable(TableSchema.people.name).arn ?? ""
        endpoint.ask(
            "TagResource",
            #"{"ResourceArn":"\#(arn)","Tags":[{"Key":"cost","Value":"2"},{"Key":"team","Value":"a"}]}"#)
        try await target.prepare(TableSchema.people, like: design)
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
        let target = try await bench.ready()
        endpoint.follow { action, _ in action == "BatchWriteItem" ? course : .normal }
        _ = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        let isClear = await target.doubts.isClear(at: target.surroundings.uptime())
        #expect(isClear == !isUnknown)
    }
}
