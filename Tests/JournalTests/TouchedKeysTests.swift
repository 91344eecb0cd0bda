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
            let touched = try TouchedKeys.begin(Self.first, of: Sample.table, in: journal)
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
                let touched = try TouchedKeys.begin(id, of: Sample.table, in: journal)
                #expect(try await touched.pass([.rows(Self.keys(1)), .changes(Self.keys(1))]) == [[true]])
            }
            #expect(try TouchedKeys.resume(Self.first, of: Sample.table, in: journal) == nil, "it is removed")
        }
    }

    @Test("What is removed of one table is no other's, however alike their names are")
    func removed() async throws {
        let names = ["orders", "orders.1", "orders.1.1"].map { TableName($0) }
        try await Journal.use(scratch.journal) { journal in
            for name in names { _ = try TouchedKeys.begin(Self.first, of: name, in: journal) }
            try TouchedKeys.remove(of: names[0], in: journal)
            #expect(try TouchedKeys.resume(Self.first, of: names[0], in: journal) == nil)
            for name in names.dropFirst() {
                #expect(try TouchedKeys.resume(Self.first, of: name, in: journal) != nil, "\(name)")
            }
        }
    }

    @Test("Its map grows")
    func grows() async throws {
        try await Journal.use(scratch.journal) { journal in
            let touched = try TouchedKeys.begin(Self.first, of: Sample.table, in: journal, mapSize: 64 << 10)
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
}
