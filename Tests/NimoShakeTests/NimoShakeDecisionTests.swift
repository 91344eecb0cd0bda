import Journal
import StreamModel
import Testing

@testable import NimoShake

/// NimoShake's `incr-sync/syncer.go` (where a shard starts) and `fetcher.go` (which is taken up), as rows here.
@Suite("Where NimoShake's shards go on")
struct NimoShakeDecisionTests {
    private struct Place: Hashable {
        var status: Status
        var type: IteratorType
        var number: String?
    }

    private static func place(_ imported: Imported?) -> Place? {
        imported.map { Place(status: $0.status, type: $0.iteratorType, number: $0.sequenceNumber?.text) }
    }

    private static let number = Sample.number

    private static let rows: [(status: String, type: String, number: String, iterator: String, place: Place)] = [
        (
            "in processing", "AT_SEQUENCE_NUMBER", number, "",
            Place(status: .prepared, type: .afterSequenceNumber, number: number)
        ),
        (
            "prepare stage", "AT_SEQUENCE_NUMBER", number, "",
            Place(status: .prepared, type: .afterSequenceNumber, number: number)
        ),
        (
            "in processing", "AFTER_SEQUENCE_NUMBER", number, "",
            Place(status: .prepared, type: .afterSequenceNumber, number: number)
        ),
        ("in processing", "TRIM_HORIZON", number, "", Place(status: .prepared, type: .trimHorizon)),
        ("prepare stage", "TRIM_HORIZON", number, "an iterator", Place(status: .prepared, type: .trimHorizon)),
        (
            "prepare stage", "LATEST", number, "see sequence number",
            Place(status: .prepared, type: .atSequenceNumber, number: number)
        ),
        (
            "in processing", "LATEST", number, "an iterator",
            Place(status: .prepared, type: .atSequenceNumber, number: number)
        ),
        ("not process", "AT_SEQUENCE_NUMBER", "", "", Place(status: .notProcessed, type: .trimHorizon)),
        ("wait father finish", "AT_SEQUENCE_NUMBER", number, "", Place(status: .prepared, type: .trimHorizon)),
        ("no need to process", "AT_SEQUENCE_NUMBER", "", "", Place(status: .notNeeded, type: .trimHorizon)),
        ("done", "AT_SEQUENCE_NUMBER", number, "", Place(status: .done, type: .afterSequenceNumber, number: number)),
        ("done", "TRIM_HORIZON", "", "", Place(status: .done, type: .afterSequenceNumber)),
    ]

    @Test("Each row of NimoShake's has its place", arguments: rows.indices)
    func places(index: Int) {
        let row = Self.rows[index]
        let outlook = Sample.outlook([Sample.row("a", row.status, row.type, at: row.number, iterator: row.iterator)])
        #expect(Self.place(outlook.place("a")) == row.place, "\(outlook.stops)")
    }

    @Test("The iterator of an empty page is not used, since unwritten records may lie before it, and that is said")
    func storedIterator() {
        let place = Sample.outlook([Sample.row("a", "in processing", "LATEST", iterator: "an iterator")]).place("a")
        #expect(place?.origin.storedIterator == "an iterator")
        #expect(place?.reason.contains("fetched and not written") == true)
        let marked = Sample.outlook([Sample.row("a", "prepare stage", "LATEST", iterator: "see sequence number")])
        #expect(marked.place("a")?.reason == "")
    }

    private static let stops: [(row: NimoShakeCheckpoint, word: String)] = [
        (Sample.row("a", "asleep"), "a: NimoShake has no status 'asleep'"),
        (Sample.row("a", "prepare stage", "LATEST"), "LATEST without an iterator"),
        (Sample.row("a", "in processing", "LATEST", at: "", iterator: "an iterator"), "lives for 15 minutes"),
        (
            Sample.row("a", "in processing", "LATEST", at: "12x", iterator: "see sequence number"),
            "'12x' is no sequence number"
        ),
        (Sample.row("a", "in processing", at: "+1"), "'+1' is no sequence number"),
        (Sample.row("a", "in processing", at: ""), "it has no sequence number"),
        (Sample.row("a", "in processing", "NEWEST"), "no iterator type 'NEWEST'"),
        (Sample.row("a", father: "a"), "run in a circle"),
    ]

    @Test("A shard whose place is not known keeps its whole table from being taken over", arguments: stops.indices)
    func stopped(index: Int) {
        let (row, word) = Self.stops[index]
        let outlook = Sample.outlook([Sample.row("b"), row])
        #expect(outlook.imported == nil)
        #expect(outlook.stops.contains { $0.contains(word) }, "\(outlook.stops)")
    }

    @Test("A table whose full sync was not done is not taken over", arguments: ["full_sync", "", nil])
    func fullSync(status: String?) {
        let outlook = Sample.outlook([Sample.row("a")], status: status)
        #expect(outlook.imported == nil && outlook.stops.contains { $0.contains("full sync was") })
        #expect(Sample.outlook([Sample.row("a")]).imported != nil)
    }

    @Test("Without a stream, or a row, there is nothing to go on from")
    func nothing() {
        #expect(
            Sample.outlook([Sample.row("a")], hasStream: false).stops == ["nothing says which stream its shards are of"]
        )
        #expect(Sample.outlook([]).stops == ["there is no checkpoint of any shard"])
    }

    @Test("Of a shard that stands there twice the first row counts, which is the one that NimoShake reads and writes")
    func duplicates() {
        let outlook = Sample.outlook([
            Sample.row("a", at: "200"), Sample.row("a", "prepare stage", "TRIM_HORIZON", at: "1"),
        ])
        #expect(outlook.place("a")?.sequenceNumber?.text == "200")
        #expect(outlook.imported?.shards.count == 1)
        #expect(outlook.remarks.contains { $0.shard == "a" && $0.text.contains("more than once") })
    }

    /// done ─▶ half ─▶ begun ─▶ done too
    @Test("What NimoShake had begun below a shard that is still to be read comes after that, from its start")
    func order() {
        let outlook = Sample.outlook([
            Sample.row("last", "done", father: "begun"), Sample.row("begun", father: "half"),
            Sample.row("half", father: "first"),
            Sample.row("first", "done"),
        ])
        #expect(outlook.imported?.shards.map(\.shard.text) == ["first", "half", "begun", "last"])
        #expect(
            Self.place(outlook.place("first")) == Place(status: .done, type: .afterSequenceNumber, number: Self.number))
        #expect(
            Self.place(outlook.place("half"))
                == Place(status: .prepared, type: .afterSequenceNumber, number: Self.number))
        #expect(Self.place(outlook.place("begun")) == Place(status: .waitingForParent, type: .trimHorizon))
        #expect(Self.place(outlook.place("last")) == Place(status: .waitingForParent, type: .trimHorizon))
        #expect(outlook.remarks.count { $0.text.contains("from its start") } == 2)
    }

    @Test("A parent of which no row is left counts as read, where the stream still lists it")
    func lostParent() {
        let listing = [
            Shard(id: ShardID("a"), parent: ShardID("p"), range: SequenceRange(starting: SequenceNumber("1"))),
            Shard(
                id: ShardID("p"), parent: nil,
                range: SequenceRange(starting: SequenceNumber("0"), ending: SequenceNumber("1"))),
        ]
        let outlook = Sample.outlook([Sample.row("a", father: "p")], listing: listing)
        #expect(outlook.place("p")?.status == .notNeeded)
        #expect(outlook.place("p")?.origin.status == "")
        let gone = Sample.outlook([Sample.row("a", father: "p")], listing: [listing[0]])
        #expect(gone.imported?.shards.map(\.shard.text) == ["a"])
    }

    @Test("A stream that has none of the shards is another one; one that lacks some has lost them, and that is said")
    func listing() {
        let other = Shard(id: ShardID("other"), parent: nil, range: SequenceRange())
        #expect(Sample.outlook([Sample.row("a")], listing: [other]).stops.contains { $0.contains("is another one") })
        let known = Shard(id: ShardID("a"), parent: nil, range: SequenceRange())
        let outlook = Sample.outlook([Sample.row("a"), Sample.row("b")], listing: [known])
        #expect(outlook.imported != nil)
        #expect(outlook.remarks.contains { $0.shard == "b" && $0.text.contains("range_lost") })
    }

    @Test("A number that lies outside the shard is no place of it")
    func outside() {
        let range = SequenceRange(starting: SequenceNumber("100"), ending: SequenceNumber("200"))
        let listing = [Shard(id: ShardID("a"), parent: nil, range: range)]
        #expect(Sample.outlook([Sample.row("a", at: "99")], listing: listing).imported == nil)
        #expect(Sample.outlook([Sample.row("a", at: "201")], listing: listing).imported == nil)
        // As a text it would lie behind the end.
        #expect(Sample.outlook([Sample.row("a", at: "0150")], listing: listing).imported != nil)
    }

    @Test("Since when records are owed is what the shard's own record says, or that of its parent")
    func owed() {
        let outlook = Sample.outlook([
            Sample.row("p", "done", made: "2026-11-23 11:00:00 +0100 CET"),
            Sample.row("c", "prepare stage", "TRIM_HORIZON", father: "p", updated: "", made: ""),
        ])
        let ten = Timestamp("2026-11-23T10:00:00Z")
        #expect(outlook.place("p")?.owedSince == ten)
        #expect(outlook.place("c")?.owedSince == ten)
        #expect(outlook.place("c")?.approximateTime == nil)
        let silent = Sample.outlook([
            Sample.row("p", "done", "TRIM_HORIZON", updated: "2026-11-23T11:00:00Z", made: ""),
            Sample.row("c", "prepare stage", "TRIM_HORIZON", father: "p", updated: "", made: ""),
        ])
        // Its Z says nothing: it may have been written where it was 11 o'clock 14 hours ago.
        #expect(silent.place("c")?.owedSince == Timestamp("2026-11-22T21:00:00Z"))
        let unknown = Sample.outlook([Sample.row("c", "prepare stage", "TRIM_HORIZON", updated: "", made: "")])
        #expect(unknown.place("c") != nil && unknown.place("c")?.owedSince == nil)
        #expect(unknown.remarks.contains { $0.shard == "c" && $0.text.contains("ack orders --skip") })
    }

    @Test("Checkpoints that are older than the stream keeps its records are said to be, and torn ones are refused then")
    func old() {
        let old = Sample.row("a", updated: "2026-11-22T11:00:00Z", made: "2026-11-22 11:00:00 +0000 UTC")
        let outlook = Sample.outlook([old])
        #expect(outlook.imported != nil)
        #expect(outlook.remarks.contains { $0.text.contains("range_lost") })
        #expect(Sample.outlook([Sample.row("a")]).remarks.isEmpty)
        #expect(Sample.outlook([old], isTorn: true).imported == nil)
        let torn = Sample.outlook([Sample.row("a")], isTorn: true)
        #expect(torn.imported != nil && torn.remarks.contains { $0.text.contains("cut off") })
    }
}
