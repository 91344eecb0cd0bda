import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The shards")
struct ShardsViewTests {
    private let view = ShardsView(
        checkpoints: [
            Sample.shard("b", parent: "a", at: "150", starting: "101", made: Sample.now, records: 1500),
            Sample.shard("a", .done, at: "100", starting: "1", ending: "100", records: 20),
            Sample.shard("c", parent: "a", .notProcessed, starting: "102"),
        ], signs: nil, now: Sample.now)

    @Test("The JSON has the promised fields, parents first")
    func json() {
        #expect(
            view.json.map(\.line) == [
                """
                {"table":"orders","stream":"\(Sample.stream)","shard":"a","parent":null,"children":["b","c"],\
                "status":"done","sequence_number":"100","starting_sequence_number":"1","ending_sequence_number":"100",\
                "lag_seconds":null}
                """,
                """
                {"table":"orders","stream":"\(Sample.stream)","shard":"b","parent":"a","children":[],\
                "status":"in_processing","sequence_number":"150","starting_sequence_number":"101",\
                "ending_sequence_number":null,"lag_seconds":0}
                """,
                """
                {"table":"orders","stream":"\(Sample.stream)","shard":"c","parent":"a","children":[],\
                "status":"not_processed","sequence_number":null,"starting_sequence_number":"102",\
                "ending_sequence_number":null,"lag_seconds":null}
                """,
            ])
    }

    @Test("The text is a tree for each stream, aligned")
    func text() {
        #expect(
            view.lines(.plain) == [
                "orders  \(Sample.stream)",
                "SHARD  STATUS         PLACE      RECORDS  LAG",
                "a      done           after 100       20    -",
                "├─ b   in_processing  after 150    1,500  0 s",
                "└─ c   not_processed  the start        0    -",
            ])
    }

    @Test("A journal without shards says so")
    func empty() {
        let empty = ShardsView(checkpoints: [], signs: nil, now: Sample.now)
        #expect(empty.json.isEmpty)
        #expect(empty.lines(.plain) == ["The journal knows no shard yet."])
    }

    @Test("Tables are told apart, even where their shards have the same id")
    func tables() {
        let view = ShardsView(
            checkpoints: [Sample.shard("a", table: "users"), Sample.shard("a", table: "orders")],
            signs: nil, now: Sample.now)
        #expect(view.lines(.plain).filter { $0.contains("arn:") }.map { $0.prefix(6) } == ["orders", "users "])
        #expect(view.json.count == 2)
    }
}
