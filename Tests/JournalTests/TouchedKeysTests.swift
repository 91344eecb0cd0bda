import LMDB
import StreamModel
import Testing

@testable import Journal

@Suite("Keys that a stream has touched since a scan began")
struct TouchedKeysTests {
    private let scratch = Scratch()
    private static let first = FullSyncID(1)
    private static let second = FullSyncID(2)

    private static func key(_ number: Int) -> TouchedKeys.Key {
        TouchedKeys.Key(hash: Array("\(number)".utf8), range: nil)
    }
    private static func keys(_ numbers: Int...) -> [TouchedKeys.Key] { numbers.map(key) }

    @Test("A row passes unless something before it, in the same pass or an earlier one, has touched its key")
    func order() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal)
            let verdicts = try await touched.pass([
                .rows(Self.keys(1, 2)), .changes(Self.keys(2, 3)), .rows(Self.keys(1, 2, 3, 4)),
            ])
            #expect(verdicts == [[true, true], [true, false, false, true]])
            #expect(try await touched.pass([.changes(Self.keys(1)), .rows(Self.keys(1, 4))]) == [[false, true]])
        }
    }

    @Test("What was touched is known to the next run, of the same full sync only")
    func resumed() async throws {
        try await Journal.use(scratch.journal) { journal in
            #expect(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal) == nil)
            _ = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal).pass([.changes(Self.keys(1))])
            let resumed = try #require(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal))
            #expect(try await resumed.pass([.rows(Self.keys(1, 2))]) == [[false, true]])
            #expect(try TouchedKeys.resume(Self.second, of: Sample.table, in: journal) == nil)
        }
    }

    @Test("A scan that is begun again begins with none")
    func begunAgain() async throws {
        try await Journal.use(scratch.journal) { journal in
            for id in [Self.first, Self.second] {
                let touched = try await TouchedKeys.begin(id, of: Sample.table, in: journal)
                #expect(try await touched.pass([.rows(Self.keys(1)), .changes(Self.keys(1))]) == [[true]])
            }
            #expect(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal) == nil, "it is removed")
        }
    }

    @Test("One that is begun again where an earlier one is still held is another, and is found again")
    func besideEarlier() async throws {
        try await Journal.use(scratch.journal) { journal in
            let earlier = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal)
            _ = try await earlier.pass([.changes(Self.keys(1))])
            let begun = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal)
            #expect(try await begun.pass([.rows(Self.keys(1, 2)), .changes(Self.keys(3))]) == [[true, true]])
            #expect(try await earlier.pass([.rows(Self.keys(1, 3))]) == [[false, true]], "of a removed file")
            let resumed = try #require(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal))
            #expect(try await resumed.pass([.rows(Self.keys(1, 3))]) == [[true, false]])
        }
    }

    @Test("What is removed of one table is no other's, however alike their names are")
    func removed() async throws {
        let names = ["orders", "orders.1", "orders.1.1"].map { TableName($0) }
        try await Journal.use(scratch.journal) { journal in
            for name in names { _ = try await TouchedKeys.begin(Self.first, of: name, in: journal) }
            try await TouchedKeys.remove(of: names[0], in: journal)
            #expect(try TouchedKeys.resume(Self.first, of: names[0], in: journal) == nil)
            for name in names.dropFirst() {
                #expect(try TouchedKeys.resume(Self.first, of: name, in: journal) != nil, "\(name)")
            }
        }
    }

    @Test("Its map grows")
    func grows() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal, mapSize: 64 << 10)
            let numbers = Array(0..<5000)
            #expect(try await touched.pass([.changes(numbers.map(Self.key))]) == [])
            #expect(try await touched.pass([.rows(numbers.map(Self.key) + [Self.key(5000)])])[0].count { $0 } == 1)
        }
    }

    @Test("Keys are told apart by both their values")
    func pairs() {
        let keys = [
            TouchedKeys.Key(hash: [1, 2], range: nil), TouchedKeys.Key(hash: [1], range: [2]),
            TouchedKeys.Key(hash: [], range: [1, 2]), TouchedKeys.Key(hash: [1, 2], range: [0]),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test("What is no such file is said to be damaged, and nothing is taken for untouched")
    func damaged() async throws {
        try await Journal.use(scratch.journal) { journal in
            let folder = "\(journal.path)/touched/\(Sample.table)/1"
            for path in ["\(journal.path)/touched", "\(journal.path)/touched/\(Sample.table)", folder] {
                #expect(FileSystem.makeFolder(path) == nil)
            }
            let bytes = Array("no LMDB file, and long enough to be read as one".utf8) + Array(repeating: 0, count: 8192)
            try File.write(bytes, to: folder + "/data.mdb")
            let error = failure { () throws(JournalError) in
                _ = try TouchedKeys.resume(Self.first, of: Sample.table, in: journal)
            }
            guard case .damaged? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(
        "Gone is what the target has and neither the scan has brought nor the stream changed, in this run or an earlier one"
    )
    func gone() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal, sweeping: true)
            let verdicts = try await touched.pass([
                .sweep(Self.keys(1, 2)), .rows(Self.keys(1)), .changes(Self.keys(2)), .sweep(Self.keys(1, 2, 3)),
            ])
            #expect(verdicts == [[true, true], [true], [false, false, true]])
            let resumed = try #require(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal))
            #expect(resumed.isSweeping)
            #expect(try await resumed.pass([.sweep(Self.keys(1, 2, 3))]) == [[false, false, true]])
        }
    }

    @Test("Where a full sync was begun without a sweep, nothing is ever gone, also after a restart")
    func noSweep() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal)
            #expect(
                try await touched.pass([.rows(Self.keys(1)), .sweep(Self.keys(1, 2))]) == [[true], [false, false]])
            let resumed = try #require(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal))
            #expect(!touched.isSweeping && !resumed.isSweeping)
        }
    }

    @Test("A pass of more keys than one transaction takes answers as one, in order, and its map grows meanwhile")
    func manyKeys() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try await TouchedKeys.begin(
                Self.first, of: Sample.table, in: journal, sweeping: true, mapSize: 64 << 10)
            let count = TouchedKeys.keysAtOnce
            let changed = (0..<count + 3).map(Self.key)
            let rows = (count..<2 * count + 5).map(Self.key)
            let verdicts = try await touched.pass([
                .rows(rows), .changes(changed), .rows(rows), .rows([]), .sweep(rows + [Self.key(-1)]),
            ])
            #expect(verdicts.map(\.count) == [rows.count, rows.count, 0, rows.count + 1])
            #expect(verdicts[0].allSatisfy { $0 }, "the changes come after them")
            #expect(verdicts[1] == [false, false, false] + rows.dropFirst(3).map { _ in true })
            #expect(verdicts[3] == rows.map { _ in false } + [true])
        }
    }

    //  A kill after the first transaction of a pass: its keys are kept, the others are not.
    @Test("A kill between two transactions leaves the first one's keys noted, and the pass can be made again")
    func killedBetween() async throws {
        try await Journal.use(scratch.journal) { journal in
            let steps: [TouchedKeys.Step] = [.changes(Self.keys(1)), .rows(Self.keys(2)), .changes(Self.keys(3))]
            _ = try await TouchedKeys.begin(Self.first, of: Sample.table, in: journal, sweeping: true)
                .pass(Array(steps.prefix(2)))
            let resumed = try #require(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal))
            #expect(try await resumed.pass([.sweep(Self.keys(1, 2, 3))]) == [[false, false, true]])
            #expect(try await resumed.pass(steps + [.rows(Self.keys(1, 2, 3))]) == [[true], [false, true, false]])
        }
    }
}
