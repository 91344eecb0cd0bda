import Dispatcher
import DynamoDB
import Journal
import StreamModel
import Testing

@Suite("Tables that come and go", .timeLimit(.minutes(2)))
struct DaemonTablesTests {
    private let rig = Rig()
    private let late = TableName("late")

    private var matching: DaemonConfiguration {
        var configuration = Rig.following
        configuration.tables = []
        configuration.globs = TableGlobs(include: [Glob("*")], exclude: [Glob("*-tmp")])
        configuration.tablesInterval = .milliseconds(20)
        return configuration
    }

    private func positions(_ daemon: Running) throws -> [ShardKey: Position] {
        Dictionary(uniqueKeysWithValues: try daemon.journal.checkpoints().map { ($0.shard, $0.position) })
    }

    @Test("One that is made while the daemon runs is followed, and nobody else hears of it")
    func added() async throws {
        rig.source.add(FakeShard("a", 1...5))
        rig.source.add(FakeTable(TableName("other-tmp")))
        try await rig.run(matching) { daemon in
            try await eventually("the first is followed") { try daemon.journal.number(of: "a") == 5 }
            let before = try positions(daemon)
            rig.source.add(FakeTable(late))
            rig.source.add(FakeShard("z", of: late, 101...105))
            try await eventually("the other one is too") { rig.target.numbers(of: "z") == Array(101...105) }
            let after = try positions(daemon)
            #expect(after.filter { before.keys.contains($0.key) } == before)
        }
        #expect(try rig.journal { try $0.table(TableName("other-tmp")) } == nil)
    }

    @Test("With --start-at latest, one that is made later is followed from its first record")
    func addedAtLatest() async throws {
        rig.source.add(FakeShard("a", 1...5))
        var configuration = matching
        configuration.startAt = .latest
        try await rig.run(configuration) { daemon in
            try await eventually("the first is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            var table = FakeTable(late)
            table.status = "CREATING"
            rig.source.add(table)
            rig.source.add(FakeShard("z", of: late, 101...105))
            rig.source.change(late) { $0.status = "ACTIVE" }
            try await eventually("the other one is too") { rig.target.numbers(of: "z") == Array(101...105) }
        }
        #expect(rig.target.numbers(of: "a").isEmpty)
    }

    @Test("One that is deleted is read to its end, then let go of, and the other goes on")
    func deleted() async throws {
        rig.source.add(FakeTable(late))
        rig.source.add(FakeShard("a", 1...5), FakeShard("z", of: late, 101...105))
        var configuration = matching
        configuration.discoveryInterval = .milliseconds(20)
        try await rig.run(configuration) { daemon in
            try await eventually("both are followed") {
                try daemon.journal.number(of: "a") == 5 && rig.target.numbers(of: "z") == Array(101...105)
            }
            let before = try positions(daemon)
            rig.source.change(late) { $0.isDeleted = true }
            rig.source.put(106...107, in: "z")
            rig.source.close("z")
            try await eventually("its end is read, and it is said to be gone") {
                try daemon.journal.table(late)?.removed != nil && rig.target.numbers(of: "z") == Array(101...107)
            }
            rig.source.put(6...7, in: "a")
            try await eventually("the other goes on") { try daemon.journal.number(of: "a") == 7 }
            #expect(try positions(daemon).filter { before.keys.contains($0.key) }.count == before.count)
        }
        #expect(rig.log.messages.contains { $0.contains("the table is gone") })
    }

    @Test("One that was dropped while no daemon ran is looked for once, and said to be gone", arguments: [false, true])
    func droppedMeanwhile(neverBegun: Bool) async throws {
        rig.source.add(FakeTable(late))
        if neverBegun { rig.source.change(late) { $0.streamEnabled = false } }
        rig.source.add(FakeShard("a", 1...5), FakeShard("z", of: late, 101...105))
        try await rig.run(matching) { daemon in
            try await eventually("both are known") {
                try daemon.journal.number(of: "a") == 5 && daemon.journal.table(late) != nil
                    && (neverBegun || rig.target.numbers(of: "z") == Array(101...105))
            }
        }
        rig.source.change(late) { $0.isDeleted = true }
        let before = rig.source.calls(.describeTable, of: late.text).count
        try await rig.run(matching) { daemon in
            try await eventually("it is said to be gone") { try daemon.journal.table(late)?.removed != nil }
            let listings = rig.source.calls(.listTables).count
            try await eventually("the account is listed again") { rig.source.calls(.listTables).count > listings + 2 }
            try await eventually("it is let go of") { rig.signs.map { $0.unlisted == nil && $0[late] == nil } ?? false }
            let state = try #require(try daemon.journal.table(late))
            let signs = try #require(rig.signs)
            #expect(Health.isFollowed(state, signs) && !Health.isAwaited(state, signs))
            #expect(Health.worst(of: state, [], signs, now: signs.written) == nil)
            rig.source.put(6...7, in: "a")
            try await eventually("the other goes on") { try daemon.journal.number(of: "a") == 7 }
        }
        #expect(rig.source.calls(.describeTable, of: late.text).count == before + 1)
    }

    @Test("Nobody says that one is not followed before the account's tables were listed")
    func yetUnlisted() async throws {
        rig.source.add(FakeTable(late))
        rig.source.add(FakeShard("a", 1...5), FakeShard("z", of: late, 101...105))
        var configuration = matching
        configuration.tables = [Sample.table]
        try await rig.run(configuration) { daemon in
            try await eventually("both are followed") { rig.target.numbers(of: "z") == Array(101...105) }
        }
        rig.source.fail(.listTables, with: .named("ThrottlingException"))
        try await rig.run(configuration) { daemon in
            rig.source.put(6...7, in: "a")
            try await eventually("the named one is followed") { try daemon.journal.number(of: "a") == 7 }
            let began = Timestamp.now()
            try await eventually("it says so, and why") {
                rig.signs.map { $0.isUp == true && $0.written > began && $0.unlisted?.trouble != nil } ?? false
            }
            let state = try #require(try daemon.journal.table(late))
            let worst = Health.worst(of: state, [], rig.signs, now: .now())
            #expect(worst?.health == .degraded)
            #expect(worst?.reason.hasPrefix("the list of the account's tables is tried again") == true)
            rig.source.heal()
            try await eventually("it is followed") { rig.signs.map { $0.unlisted == nil && $0[late] != nil } ?? false }
        }
    }

    @Test("A listing of the account that fails is made again, and the tables that are followed go on")
    func unlisted() async throws {
        rig.source.add(FakeShard("a", 1...5))
        rig.source.add(FakeTable(late))
        rig.source.add(FakeShard("z", of: late, 101...105))
        rig.source.fail(.listTables, with: .named("ThrottlingException"), times: 3)
        var configuration = matching
        configuration.tables = [Sample.table]
        try await rig.run(configuration) { daemon in
            try await eventually("it is followed") { try daemon.journal.number(of: "a") == 5 }
            try await eventually("the other is too") { rig.target.numbers(of: "z") == Array(101...105) }
            rig.source.fail(.listTables, with: .named("AccessDeniedException"))
            rig.source.put(6...9, in: "a")
            try await eventually("it goes on") { try daemon.journal.number(of: "a") == 9 }
        }
    }

    @Test(
        "A first listing that fails ends the daemon with the error, if no table could even begin or no try can help",
        arguments: [
            (DynamoDBError.unreachable(endpoint: "fake", operation: "ListTables", reason: "refused"), false, 69),
            (.named("ThrottlingException"), false, 69), (.named("AccessDeniedException"), false, 77),
            (.named("AccessDeniedException"), true, 77),
        ])
    func neverListed(error: DynamoDBError, isOneNamed: Bool, code: Int32) async throws {
        rig.source.add(FakeShard("a", 1...5))
        rig.source.fail(.listTables, with: error)
        var configuration = matching
        if isOneNamed { configuration.tables = [Sample.table] }
        let outcome = try await rig.runToRest(configuration)
        guard case .failure(let failure) = outcome else {
            Issue.record("it ended well")
            return
        }
        #expect(failure.exitCode == code)
    }

    @Test("A named table that fails keeps no first listing waiting for ever")
    func neitherNamedNorListed() async throws {
        rig.source.fail(.listTables, with: .named("ThrottlingException"))
        var configuration = matching
        configuration.tables = [TableName("unknown")]
        let outcome = try await rig.runToRest(configuration)
        #expect(throws: DaemonError.self) { try outcome.get() }
    }

    @Test("One that can't be followed ends nobody's work")
    func unfit() async throws {
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        rig.source.add(FakeTable(late))
        try await rig.run(matching) { daemon in
            rig.source.add(FakeShard("z", of: late, 101...105))
            try await eventually("the other is followed") { rig.target.numbers(of: "z") == Array(101...105) }
            try await eventually("it is said") { try daemon.journal.table(Sample.table)?.lastFault != nil }
            #expect(!daemon.hasEnded)
        }
    }

    @Test("One that can't be followed is a failure of a run that was to come to an end")
    func unfitAtTheEnd() async throws {
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        rig.source.add(FakeTable(late))
        rig.source.add(FakeShard("z", of: late, 101...105))
        var configuration = matching
        configuration.untilIdle = .milliseconds(100)
        let outcome = try await rig.runToRest(configuration)
        #expect(throws: DaemonError.self) { try outcome.get() }
        #expect(rig.target.numbers(of: "z") == Array(101...105))
    }

    @Test("With an end in sight, it ends when the tables that there are have come to it", arguments: [false, true])
    func ending(isFull: Bool) async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning(isFull ? .full : .all)
        configuration.tables = []
        configuration.globs = matching.globs
        if !isFull { configuration.untilIdle = .milliseconds(50) }
        let outcome = try await rig.runToRest(configuration)
        try outcome.get()
        #expect(Set(rig.target.items()) == Rig.keys)
    }

    @Test("Where none matches, it waits for one; and ends where it is to end")
    func none() async throws {
        var configuration = matching
        configuration.globs = TableGlobs(include: [Glob("nothing-*")])
        configuration.mode = .full
        let outcome = try await rig.runToRest(configuration)
        try outcome.get()
    }
}
