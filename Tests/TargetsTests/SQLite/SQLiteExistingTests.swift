import GRDB
import StreamModel
import Testing

@testable import Targets

@Suite("What lies in a SQLite database already")
struct SQLiteExistingTests {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private let scratch: Scratch
    private var path: String { scratch.file("copy.db") }

    init() throws { scratch = try Scratch() }

    private func opened(_ existing: ExistingPolicy) async throws -> SQLiteTarget {
        let target = SQLiteTarget(path: try TargetPath(path, target: "sqlite:"), existing: existing)
        try await target.open(recoveringTo: [])
        return target
    }

    /// A table with a row and a position, from an earlier life.
    private func fill() async throws {
        let target = try await opened(.refuse)
        try await target.prepare(.people)
        _ = try await target.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        await target.close()
    }

    private func count(_ sql: String) throws -> Int? {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: sql) }
    }

    @Test("is left alone unless somebody says what becomes of it", arguments: ExistingPolicy.allCases)
    func policy(existing: ExistingPolicy) async throws {
        try await fill()
        let target = try await opened(existing)
        switch existing {
        case .refuse:
            await #expect(throws: TargetError.self) { try await target.begin(TableSchema.people.name) }
            #expect(try count("SELECT count(*) FROM people") == 1)
            #expect(try count("SELECT count(*) FROM _shake_positions") == 1)
        case .append:
            #expect(try await target.begin(TableSchema.people.name)?.contains("filled on") == true)
            try await target.prepare(.people)
            #expect(try count("SELECT count(*) FROM people") == 1)
            #expect(try count("SELECT count(*) FROM _shake_positions") == 1)
        case .replace:
            #expect(try await target.begin(TableSchema.people.name)?.contains("dropped") == true)
            try await target.prepare(.people)
            #expect(try count("SELECT count(*) FROM people") == 0)
            #expect(try count("SELECT count(*) FROM _shake_positions") == 0)
        case .rename:
            #expect(try await target.begin(TableSchema.people.name)?.contains("people_before") == true)
            try await target.prepare(.people)
            #expect(try count("SELECT count(*) FROM people") == 0)
            #expect(try count("SELECT count(*) FROM people_before") == 1)
            #expect(try count("SELECT count(*) FROM _shake_positions") == 0)
        }
    }

    @Test("keeps each of the tables that were renamed one after the other")
    func renamedTwice() async throws {
        for _ in 0..<3 {
            try await fill()
            let target = try await opened(.rename)
            _ = try await target.begin(TableSchema.people.name)
            await target.close()
        }
        #expect(
            try count("SELECT count(*) FROM people_before, people_before_2, people_before_3") == 1)
    }

    @Test("is nothing where the table is empty, or where there is none", arguments: [false, true])
    func empty(isMade: Bool) async throws {
        let target = try await opened(.refuse)
        if isMade { try await target.prepare(.people) }
        #expect(try await target.begin(TableSchema.people.name) == nil)
    }

    @Test("is looked at without a trace, before anything is opened")
    func survey() async throws {
        let table = TableSchema.people
        let target = SQLiteTarget(path: try TargetPath(path, target: "sqlite:"))
        #expect(try await target.survey(table).contents == .missing)
        #expect(try scratch.names().isEmpty)
        try await fill()
        #expect(try await target.survey(table).contents == .filled)
        try await target.open(recoveringTo: [])
        #expect(try await target.survey(table).contents == .filled)
        let other = TableSchema(name: TableName("other"), hash: table.hash, range: nil)
        #expect(try await target.survey(other) == Place(object: "SQL table other", contents: .missing))
    }

    @Test("is looked at for what prepare would refuse, in its words", arguments: [false, true])
    func unfit(isOpen: Bool) async throws {
        let people = TableSchema.people
        let names = ["shaped", "seen", "Cased", "_shake_other"]
        try await DatabaseQueue(path: path).write { database in
            try database.execute(sql: "CREATE TABLE shaped (mine TEXT); CREATE VIEW seen AS SELECT 1")
            try database.execute(sql: "CREATE TABLE cased (mine TEXT)")
        }
        let target = SQLiteTarget(path: try TargetPath(path, target: "sqlite:"))
        for name in names {
            let table = TableSchema(name: TableName(name), hash: people.hash, range: nil)
            if isOpen { try await target.open(recoveringTo: []) }
            let unfit = try #require(try await target.survey(table).unfit)
            if !isOpen { try await target.open(recoveringTo: []) }
            await #expect(throws: TargetError.misconfigured(target: target.name, reason: unfit)) {
                try await target.prepare(table)
            }
            await target.close()
        }
    }
}
