import AllTargets
import Foundation
import MongoC
import StreamModel
import Targets
import Testing

@testable import MongoDBTarget

/// Each has a stand-in of its own: a fail point is the whole server's.
@Suite("A MongoDB target, when things go wrong")
struct MongoDBFaultTests {
    private static let ann = MongoBench.ann
    private static let bob = MongoBench.bob
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    enum Topology: String, CaseIterable, Sendable {
        case replicaSet = "replica-set"
        case sharded, standalone
    }

    static func server(_ topology: Topology, _ more: String...) throws -> ThrowawayServer {
        try ThrowawayServer("mongo-standin", ["--until-stdin-closes", "--topology", topology.rawValue] + more)
    }

    /// Fast enough for a test.
    static let hasty = "serverSelectionTimeoutMS=2000&heartbeatFrequencyMS=500"

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let commands: String
        let times: Int
        let what: String
    }

    static let faults: [Fault] = [
        Fault(
            testDescription: "cut before the data", commands: #""update","delete""#, times: 3,
            what: #""closeConnection":true"#),
        Fault(
            testDescription: "cut after the data", commands: #""update","delete""#, times: 3,
            what: #""closeConnectionAfter":true"#),
        Fault(
            testDescription: "cut after the data, once", commands: #""update""#, times: 1,
            what: #""closeConnectionAfter":true"#),
        Fault(
            testDescription: "cut before the commit", commands: #""commitTransaction""#, times: 5,
            what: #""closeConnection":true"#),
        Fault(
            testDescription: "cut after the commit", commands: #""commitTransaction""#, times: 7,
            what: #""closeConnectionAfter":true"#),
        Fault(testDescription: "not the primary", commands: #""update""#, times: 2, what: #""errorCode":10107"#),
        Fault(
            testDescription: "stepped down in the commit", commands: #""commitTransaction""#, times: 5,
            what: #""errorCode":11602"#),
        Fault(testDescription: "shutting down", commands: #""update","delete""#, times: 2, what: #""errorCode":91"#),
        Fault(
            testDescription: "write concern timed out", commands: #""update","commitTransaction""#, times: 2,
            what: #""writeConcernError":{"code":64,"errmsg":"waiting for replication timed out"}"#),
        Fault(
            testDescription: "a conflict", commands: #""update""#, times: 2,
            what: #""errorCode":112,"errorLabels":["TransientTransactionError"]"#),
    ]

    @Test("is tried again and holds everything once, whatever was cut and when", arguments: faults, Topology.allCases)
    func cut(fault: Fault, topology: Topology) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: Self.hasty)
        try await target.prepare(.people)
        _ = try await target.write([
            Feed.batch(
                .people, first: 1, [.insert(keys: Self.ann, new: Self.ann), .insert(keys: Self.bob, new: Self.bob)])
        ])
        try bench.fail(fault.commands, times: fault.times, fault.what)
        let old = #"{"id":{"S":"ann"},"age":{"N":"7"}}"#
        let second = Feed.batch(
            .people, first: 3, [.modify(keys: Self.ann, old: nil, new: old), .remove(keys: Self.bob)])
        try await MongoBench.persisting { _ = try await target.write([second]) }
        try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")
        #expect(try bench.items() == [try .item(old)])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(4)])
        let third = Feed.batch(.people, first: 5, [.insert(keys: Self.bob, new: Self.bob)])
        try await MongoBench.persisting { _ = try await target.write([third]) }
        #expect(try bench.items() == [try .item(old), try .item(Self.bob)])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(5)])
    }

    @Test(
        "stops where trying again would not help, with what to do",
        arguments: [
            (13, "grant this user"), (20, "its version and kind"), (8000, "Atlas"), (26, "dropped or renamed"),
            (2, "won't take this"), (121, "won't take this"), (99999, "not expected"),
        ], [Topology.replicaSet, .standalone])
    func stopped(fault: (code: Int, words: String), topology: Topology) async throws {
        let (code, words) = fault
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: Self.hasty)
        try await target.prepare(.people)
        try bench.fail(#""update""#, times: 1, #""errorCode":\#(code)"#)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        let error = await MongoBench.refusal { _ = try await target.write([batch]) }
        guard case .misconfigured(_, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(words), "\(reason)")
        #expect(try bench.documents("people").isEmpty)
    }

    @Test(
        "puts no record aside for what nobody knows: it is tried again until it is there",
        arguments: [Topology.replicaSet, .standalone])
    func unknown(topology: Topology) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: Self.hasty)
        try await target.prepare(.people)
        try bench.fail(
            #""update""#, times: 1, #""writeErrorCode":54321,"namespace":"\#(bench.database).people""#)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        let error = await MongoBench.refusal { _ = try await target.write([batch]) }
        #expect(error?.isRetryable == true && error?.description.contains("54321") == true, "\(String(describing: error))")
        #expect(try bench.documents("people").isEmpty)
        try await MongoBench.persisting { _ = try await target.write([batch]) }
        #expect(try bench.items() == [try .item(Self.ann)])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(1)])
    }

    @Test(
        "gives up a server that says nothing, and what comes late there changes nothing", arguments: Topology.allCases)
    func late(topology: Topology) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: "\(Self.hasty)&socketTimeoutMS=300&retryWrites=false")
        try await target.prepare(.people)
        // The server sleeps, and does then what nobody waits for any more.
        try bench.fail(#""update""#, times: 1, #""blockConnection":true,"blockTimeMS":1200"#)
        let first = Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: #"{"id":{"S":"ann"},"v":{"N":"1"}}"#)])
        let error = await MongoBench.refusal { _ = try await target.write([first]) }
        #expect(error?.isRetryable == true, "\(String(describing: error))")
        try await MongoBench.persisting { _ = try await target.write([first]) }
        let newer = #"{"id":{"S":"ann"},"v":{"N":"2"}}"#
        try await MongoBench.persisting {
            _ = try await target.write([Feed.batch(.people, first: 2, [.modify(keys: Self.ann, old: nil, new: newer)])])
        }
        // Until the late one was done: it had slept for longer than this when it was sent.
        try await Task.sleep(for: .milliseconds(1300))
        #expect(try bench.items() == [try .item(newer)])
        _ = try await target.write([Feed.batch(.people, first: 3, [.insert(keys: Self.bob, new: Self.bob)])])
        #expect(try bench.items() == [try .item(newer), try .item(Self.bob)])
    }

    @Test(
        "goes on behind a commit that comes late: it is done or undone before anything else is written",
        arguments: [Topology.replicaSet, .sharded])
    func lateCommit(topology: Topology) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: "\(Self.hasty)&socketTimeoutMS=200")
        try await target.prepare(.people)
        // More often than a commit is asked for before it is given up.
        try bench.fail(#""commitTransaction""#, times: 8, #""blockConnection":true,"blockTimeMS":900"#)
        let old = #"{"id":{"S":"ann"},"v":{"N":"1"}}"#
        let first = Feed.batch(
            .people, first: 1, [.insert(keys: Self.ann, new: old), .insert(keys: Self.bob, new: Self.bob)])
        #expect(await MongoBench.refusal { _ = try await target.write([first]) }?.isRetryable == true)
        try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")
        try await MongoBench.persisting { _ = try await target.write([first]) }
        let newer = #"{"id":{"S":"ann"},"v":{"N":"2"}}"#
        let second = Feed.batch(
            .people, first: 3, [.modify(keys: Self.ann, old: nil, new: newer), .remove(keys: Self.bob)])
        try await MongoBench.persisting { _ = try await target.write([second]) }
        try await Task.sleep(for: .milliseconds(1000))
        #expect(try bench.items() == [try .item(newer)])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(4)])
    }

    @Test("comes back when its server was restarted, or killed", arguments: Topology.allCases)
    func restarted(topology: Topology) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let target = try await bench.opened(parameters: Self.hasty)
        try await target.prepare(.people)
        for (number, word) in ["restart", "kill"].enumerated() {
            #expect(try server.say(word) == "ok")
            let batch = Feed.batch(.people, first: number + 1, [.insert(keys: Self.ann, new: Self.ann)])
            if word == "kill" {
                let error = await MongoBench.refusal { _ = try await target.write([batch]) }
                #expect(error?.isRetryable == true, "\(String(describing: error))")
                #expect(try server.say("start") == "ok")
            }
            try await MongoBench.persisting { _ = try await target.write([batch]) }
        }
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(2)])
    }

    @Test("a second daemon that takes over while a connection is lost is not taken over from")
    func fencedWhileLost() async throws {
        let server = try Self.server(.replicaSet)
        let bench = MongoBench(server.url, scratch)
        let first = try await bench.opened(parameters: Self.hasty)
        try await first.prepare(.people)
        try bench.fail(#""update""#, times: 1, #""closeConnection":true"#)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        #expect(await MongoBench.refusal { _ = try await first.write([batch]) }?.isRetryable == true)
        _ = try await bench.opened(parameters: Self.hasty)
        let error = await MongoBench.refusal { _ = try await first.write([batch]) }
        #expect(error?.description.contains("another daemon has taken over") == true, "\(String(describing: error))")
    }

    // MARK: Sessions that were lost

    private func losing(_ bench: MongoBench) async throws -> (target: any Target, batch: Batch) {
        let target = try await bench.opened(parameters: "\(Self.hasty)&retryWrites=false")
        try await target.prepare(.people)
        try bench.fail(#""update""#, times: 1, #""closeConnection":true"#)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        #expect(await MongoBench.refusal { _ = try await target.write([batch]) }?.isRetryable == true)
        return (target, batch)
    }

    @Test(
        "writes nothing before what a lost connection left running is ended: it is asked for that until the server says so",
        arguments: Topology.allCases, [#""errorCode":11600"#, #""errorCode":10107"#, #""closeConnection":true"#])
    func killedLater(topology: Topology, fault: String) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let (target, batch) = try await losing(bench)
        try bench.fail(#""killSessions""#, times: 2, fault)
        for _ in 1...2 {
            let error = await MongoBench.refusal { _ = try await target.write([batch]) }
            #expect(error?.isRetryable == true, "\(String(describing: error))")
            #expect(try bench.documents("people").isEmpty)
        }
        _ = try await target.write([batch])
        #expect(try bench.items() == [try .item(Self.ann)])
    }

    @Test("goes on where a server knows no such command, or forbids it", arguments: Topology.allCases, [59, 13])
    func notKilled(topology: Topology, code: Int) async throws {
        let server = try Self.server(topology)
        let bench = MongoBench(server.url, scratch)
        let (target, batch) = try await losing(bench)
        try bench.fail(#""killSessions""#, times: 1, #""errorCode":\#(code)"#)
        _ = try await target.write([batch])
        #expect(try bench.items() == [try .item(Self.ann)])
        #expect(try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")["count"]?.integer == 1)
    }

    @Test("ends no session where none was lost: an empty list would be all of this user's")
    func noneToKill() throws {
        let server = try Self.server(.replicaSet)
        let bench = MongoBench(server.url, scratch)
        let (client, owner) = (try bench.client(), ObjectID())
        var generation: Int64 = 0
        _ = try Writer(client, bench.database, owner: owner, generation: &generation)
        try bench.fail(#""killSessions""#, times: 9, #""errorCode":91"#)
        _ = try Writer(client, bench.database, owner: owner, after: &generation, killing: [])
        #expect(try bench.ask(#"{"configureFailPoint":"failCommand","mode":"off"}"#, in: "admin")["count"]?.integer == 0)
    }

    // MARK: Who may not

    @Test("says what is wrong with a password, a database, a host or a right, and never the password")
    func refusedAccess() async throws {
        let server = try Self.server(.replicaSet, "--user", "shake:r1ght-s3cret", "--reader", "reader:0ther-s3cret")
        let place = try #require(server.url.split(separator: "@").last).split(separator: "/")[0]
        let rest = "replicaSet=standin&authSource=admin&\(Self.hasty)"
        for (url, isRetryable, words) in [
            ("mongodb://shake:wr0ng-s3cret@\(place)/copy?\(rest)", false, "the user or the password is wrong"),
            ("mongodb://shake:r1ght-s3cret@\(place)/copy?replicaSet=standin&\(Self.hasty)", false, "authSource=admin"),
            ("mongodb://reader:0ther-s3cret@\(place)/copy?\(rest)", false, "grant this user"),
            ("mongodb://\(place)/copy?replicaSet=standin&\(Self.hasty)", false, "grant this user"),
            ("mongodb://shake:wr0ng-s3cret@127.0.0.1:1/copy?\(Self.hasty)", true, "127.0.0.1:1"),
        ] {
            let target = try TargetSchemes.all.make(url)
            let error = await MongoBench.refusal { try await target.open(recoveringTo: []) }
            #expect(error?.isRetryable == isRetryable, "\(String(describing: error))")
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            #expect(error?.description.contains("s3cret") == false)
            #expect(target.name == "mongodb://\(url.contains(":1/") ? "127.0.0.1:1" : String(place))/copy")
        }
        let good = try TargetSchemes.all.make(
            "mongodb://shake:wr0ng-s3cret@\(place)/copy?\(rest)",
            environment: ["SHAKE_MONGODB_PASSWORD": "r1ght-s3cret"])
        try await good.open(recoveringTo: [])
    }

    @Test(
        "refuses a URL that names no database, MongoDB's own, or what libmongoc can't read, without its password",
        arguments: [
            ("mongodb://h", "names no database"), ("mongodb://u:s3cret@h/", "names no database"),
            ("mongodb://h/admin", "MongoDB's own"), ("mongodb://h/local", "MongoDB's own"),
            ("mongodb://u:s3cret/x@h/db", "can't be read"), ("mongodb://u:s3cret@h:99999/db", "can't be read"),
            ("mongodb://u:s3%zzcret@h/db", "can't be read"), ("mongodb://h/a.b", "can't be read"),
            ("mongodb://u:s3cret@h/db?tsl=true", "'tsl'"),
            ("mongodb://u:s3cret@h/db?w=1&journaled=false", "'journaled'"),
            ("mongodb://u:pa?s3cret=1@h/", "names no database"), ("mongodb://h/db?ssl=true&tls=false", "can't be read"),
            ("mongodb+srv://db.nowhere.invalid/", "names no database"),
        ])
    func unreadable(url: String, words: String) {
        let error = #expect(throws: TargetError.self) { try TargetSchemes.all.make(url) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test("asks for TLS where a host is not this machine, unless told otherwise; and never waits for ever")
    func settings() throws {
        func settings(_ url: String) throws -> MongoSettings { try MongoSettings(url: url) }
        #expect(try settings("mongodb://db.example.com/a").isOn("tls"))
        #expect(try settings("mongodb://127.0.0.1,db.example.com/a").isOn("tls"))
        #expect(try !settings("mongodb://db.example.com/a?tls=false").isOn("tls"))
        #expect(try !settings("mongodb://127.0.0.1:27018,localhost,[::1]:27017/a").isOn("tls"))
        #expect(try !settings("mongodb://%2Ftmp%2Fmongodb-27017.sock/a").isOn("tls"))
        let usual = try settings("mongodb://127.0.0.1/a")
        #expect(
            usual.milliseconds("sockettimeoutms") == 60_000 && usual.milliseconds("serverselectiontimeoutms") == 10_000)
        #expect(!usual.isOn("serverselectiontryonce"))
        #expect(try settings("mongodb://127.0.0.1/a?socketTimeoutMS=5").milliseconds("sockettimeoutms") == 5)
    }
}
