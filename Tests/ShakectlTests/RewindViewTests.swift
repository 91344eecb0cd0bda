import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("What a rewind changed")
struct RewindViewTests {
    /// a ── b
    private let lineage = [
        Sample.shard("a", .done, at: "100", starting: "1", ending: "100"),
        Sample.shard("b", parent: "a", at: "150", starting: "101"),
    ]

    private func plan(_ place: RewindRequest.Place, inclusive: Bool = false) throws -> RewindPlan {
        let request = RewindRequest(place: place, inclusive: inclusive, reason: "why", author: "me@here")
        return try RewindPlan.make(request, of: Sample.key("a"), among: lineage)
    }

    @Test("The JSON has the promised fields, in order")
    func json() throws {
        let plan = try plan(.sequenceNumber(Sample.number("50")), inclusive: true)
        let view = RewindView(plan: plan, position: Position(813), undo: "shakectl rewind a --to-position 812")
        #expect(
            view.json.line == """
                {"shard":"a","from_sequence_number":"100","to_sequence_number":"50","inclusive":true,"dry_run":false,\
                "cascaded":["b"],"position":813,"undo":"shakectl rewind a --to-position 812"}
                """)
    }

    @Test("A dry run has neither position nor undo")
    func dryRun() throws {
        let view = RewindView(plan: try plan(.start), position: nil, undo: nil)
        #expect(
            view.json.line == """
                {"shard":"a","from_sequence_number":"100","to_sequence_number":null,"inclusive":false,"dry_run":true,\
                "cascaded":["b"],"position":null,"undo":null}
                """)
        #expect(view.lines(.plain).first == "would rewind orders/a")
        #expect(view.lines(.plain).last == "Nothing was changed: this was a dry run.")
    }

    @Test("The text says what moved, what comes next, and how to undo it")
    func text() throws {
        let plan = try plan(.sequenceNumber(Sample.number("50")))
        let view = RewindView(plan: plan, position: Position(813), undo: "shakectl rewind a --to-position 812")
        #expect(
            view.lines(.plain) == [
                "rewound orders/a",
                "SHARD  FROM  TO         WHY",
                "a      100   50         asked for",
                "b      150   the start  descends from it",
                "The next record delivered is the first after 50.",
                "Undo: shakectl rewind a --to-position 812",
            ])
    }

    @Test("A rewind without an undo to offer is no dry run")
    func withoutUndo() throws {
        let plan = try plan(.sequenceNumber(Sample.number("50")), inclusive: true)
        let lines = RewindView(plan: plan, position: Position(813), undo: nil).lines(.plain)
        #expect(lines.first == "rewound orders/a")
        #expect(lines.last == "The next record delivered is 50 again.")
    }

    @Test(
        "What is delivered next is said in words",
        arguments: [(false, "the first after 50"), (true, "50 again")])
    func next(inclusive: Bool, words: String) throws {
        let plan = try plan(.sequenceNumber(Sample.number("50")), inclusive: inclusive)
        let lines = RewindView(plan: plan, position: Position(1), undo: "").lines(.plain)
        #expect(lines.contains("The next record delivered is \(words)."))
    }
}
