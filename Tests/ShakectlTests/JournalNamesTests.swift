import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("Names that a shell offers")
struct JournalNamesTests {
    private let names = JournalNames(
        shards: [
            Sample.shard("shardId-1-done", .done), Sample.shard("shardId-2-read"), Sample.shard("shardId-3-twice"),
            Sample.shard("shardId-3-twice", table: "users"),
        ], tables: [TableName("orders"), TableName("users")])

    @Test("Shards that are read come first, by the name that is theirs alone")
    func shards() {
        #expect(
            names.shards("")
                == ["shardId-2-read", "orders/shardId-3-twice", "users/shardId-3-twice", "shardId-1-done"])
        #expect(names.shards("shardId-1") == ["shardId-1-done"])
        #expect(names.shards("orders/shardId-2") == ["orders/shardId-2-read"])
        #expect(names.shards("x") == [])
        #expect(names.tables("u") == ["users"])
    }

    @Test("Few are offered, however many there are")
    func few() {
        let many = JournalNames(shards: (0..<5000).map { Sample.shard("shardId-\($0)") }, tables: [])
        #expect(many.shards("shardId").count == 100)
    }

    @Test(
        "The journal is the one that the line names",
        arguments: [
            (["shakectl", "--journal", "/j", "history", ""], "/j"),
            (["shakectl", "history", "--journal=/j", ""], "/j"),
            (["shakectl", "history", "--journal", "=", "/j"], "/j"), (["shakectl", "history", ""], nil),
            (["shakectl", "history", "--journal"], nil), (["shakectl", "--journal", "'/a b'"], "/a b"),
        ] as [([String], String?)])
    func line(words: [String], journal: String?) { #expect(JournalNames.value(of: "--journal", in: words) == journal) }
}
