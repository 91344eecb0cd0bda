import Dispatcher
import Journal
import StreamModel
import TestSupport
import Testing

@Suite("Lineage")
struct LineageTests {
    private func ids(_ names: String...) -> [ShardID] { names.map { ShardID($0) } }

    //  a ──▶ b
    //    └─▶ c ──▶ d
    private let family = [
        Sample.shard("d", parent: "c"), Sample.shard("b", parent: "a"), Sample.shard("a", closed: true),
        Sample.shard("c", parent: "a", closed: true),
    ]

    private func following(_ statuses: KeyValuePairs<String, Status>) -> Lineage {
        let parents = ["b": "a", "c": "a", "d": "c"]
        return Lineage(statuses.map { Sample.checkpoint($0.key, parent: parents[$0.key], status: $0.value) })
    }

    @Test("Children wait until their parent is done")
    func waits() {
        #expect(following(["a": .inProcessing, "b": .waitingForParent, "c": .waitingForParent]).eligible == ids("a"))
        #expect(
            following(["a": .done, "b": .waitingForParent, "c": .inProcessing, "d": .waitingForParent]).eligible
                == ids("b", "c"))
        #expect(following(["a": .notNeeded, "b": .prepared]).eligible == ids("b"))
    }

    @Test("A parent that nobody knows was trimmed, and counts as done (PEERS rows 8, 9)")
    func missingParent() {
        #expect(Lineage([Sample.checkpoint("x", parent: "gone", status: .notProcessed)]).eligible == ids("x"))
    }

    @Test("A shard in a reader's hands is not handed out twice")
    func running() {
        var lineage = following(["a": .inProcessing])
        lineage.took(ShardID("a"))
        #expect(lineage.eligible.isEmpty)
        lineage.released(ShardID("a"))
        #expect(lineage.eligible == ids("a"))
    }

    @Test("A shard that was set back waits until no reader has a descendant of it in its hands any more")
    func setBack() {
        var lineage = following([
            "a": .prepared, "b": .waitingForParent, "c": .waitingForParent, "d": .waitingForParent,
        ])
        lineage.took(ShardID("d"))
        #expect(lineage.eligible.isEmpty, "its grandchild's last batch may still be on its way")
        lineage.took(ShardID("b"))
        lineage.released(ShardID("d"))
        #expect(lineage.eligible.isEmpty)
        lineage.released(ShardID("b"))
        #expect(lineage.eligible == ids("a"))
    }

    @Test("News come parents first, whatever the listing's order, and each once", arguments: 0..<24 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let listing = (family + [family[1]]).shuffled(using: &random)
        let news = Lineage([]).news(in: listing, startAt: .trimHorizon)
        let places = Dictionary(uniqueKeysWithValues: news.enumerated().map { ($1.shard.text, $0) })
        #expect(news.count == 4)
        #expect(places["a"]! < places["b"]! && places["a"]! < places["c"]! && places["c"]! < places["d"]!)
        #expect(news.allSatisfy { $0.discovered.start == .trimHorizon })
        #expect(news.filter { $0.status == .waitingForParent }.map(\.shard.text).sorted() == ["b", "c", "d"])
    }

    @Test("A shard with a known ancestor is never opened at LATEST (PEERS row 5)")
    func neverLatest() {
        let lineage = following(["a": .inProcessing])
        for news in lineage.news(in: family, startAt: .latest) {
            #expect(news.discovered.start == .trimHorizon, "\(news.shard)")
        }
    }

    @Test("At LATEST closed shards are not needed, and open ones begin at their newest record")
    func latest() {
        let news = Lineage([]).news(in: family, startAt: .latest)
        let statuses = Dictionary(uniqueKeysWithValues: news.map { ($0.shard.text, $0.status) })
        #expect(statuses["a"] == .some(.notNeeded) && statuses["c"] == .some(.notNeeded))
        #expect(statuses["b"] == .some(nil) && statuses["d"] == .some(nil))
        #expect(news.allSatisfy { $0.discovered.start == .latest })
    }

    @Test("A parent is missing that neither the listing nor the journal has, and that something new follows")
    func missingParents() {
        let lineage = following(["a": .done, "c": .inProcessing])
        let listing = [
            Sample.shard("b", parent: "a"), Sample.shard("d", parent: "c"), Sample.shard("x", parent: "unseen"),
            Sample.shard("y", parent: "x"), Sample.shard("root"), Sample.shard("c", parent: "trimmed"),
        ]
        #expect(lineage.missingParents(in: listing) == Set(ids("unseen")))
        #expect(lineage.connected(listing).map(\.id) == ids("b", "d", "root", "c"))
    }

    @Test("At LATEST a shard whose ancestor is listed as open all the same begins at its start, after that one")
    func openParentBesideChildren() {
        let news = Lineage([]).news(
            in: [Sample.shard("a"), Sample.shard("b", parent: "a", closed: true), Sample.shard("c", parent: "b")],
            startAt: .latest)
        #expect(news.map(\.shard) == ids("a", "b", "c"))
        #expect(news.map(\.discovered.start) == [.latest, .trimHorizon, .trimHorizon])
        #expect(news.map(\.status) == [nil, .waitingForParent, .waitingForParent])
    }

    @Test("That a shard closed is no news while a reader has it in its hands")
    func closedWhileRead() {
        var lineage = Lineage([Sample.checkpoint("a", status: .inProcessing)])
        lineage.took(Sample.shard("a").id)
        #expect(lineage.news(in: [Sample.shard("a", closed: true)], startAt: .trimHorizon).isEmpty)
        lineage.released(Sample.shard("a").id)
        #expect(lineage.news(in: [Sample.shard("a", closed: true)], startAt: .trimHorizon).count == 1)
    }

    @Test("A shard that closed meanwhile is news; one that is listed as before is none")
    func closes() {
        let lineage = Lineage([Sample.checkpoint("a", status: .inProcessing)])
        #expect(lineage.news(in: [Sample.shard("a")], startAt: .trimHorizon).isEmpty)
        let news = lineage.news(in: [Sample.shard("a", closed: true)], startAt: .trimHorizon)
        #expect(news.map(\.discovered.range.ending) == [Sample.number(9)])
        #expect(news.first?.status == nil)
    }

    @Test("A listing whose parents form a ring is survived")
    func ring() {
        let ring = [Sample.shard("a", parent: "b"), Sample.shard("b", parent: "a")]
        #expect(Lineage([]).news(in: ring, startAt: .trimHorizon).count == 2)
    }

    @Test("An older word of the journal changes nothing")
    func monotonic() {
        var newer = Sample.checkpoint("a", status: .done)
        newer.revision = Revision(5)
        var lineage = Lineage([newer])
        lineage.update(Sample.checkpoint("a", status: .inProcessing))
        #expect(lineage.checkpoints[ShardID("a")]?.status == .done)
    }

    //  a ──▶ b ──▶ c ──▶ d ──▶ e (open)
    //        └──▶ x (done, and nobody knows what continues it)
    @Test(
        "What is over and no longer listed is let go of, save what the loss of an open shard is measured by, and ends")
    func forgets() {
        func over(_ shard: String, parent: String?, accounted: Bool) -> Checkpoint {
            var checkpoint = Sample.checkpoint(shard, parent: parent, status: .done)
            checkpoint.approximateTime = accounted ? Sample.moment : nil
            return checkpoint
        }
        var lineage = Lineage([
            over("a", parent: nil, accounted: true), over("b", parent: "a", accounted: true),
            over("x", parent: "b", accounted: true), over("c", parent: "b", accounted: true),
            // It was silent from beginning to end: how far all is accounted for, c has to say.
            over("d", parent: "c", accounted: false),
            Sample.checkpoint("e", parent: "d", status: .inProcessing),
        ])
        #expect(lineage.forget(allBut: Set(ids("b", "d", "e"))) == ids("a"))
        #expect(lineage.checkpoints.keys.sorted() == ids("b", "c", "d", "e", "x"))
        // b is still known to be continued, and a listing that shows it again finds it known.
        #expect(lineage.forget(allBut: Set(ids("d", "e"))) == ids("b"))
        #expect(lineage.forget(allBut: Set(ids("d", "e"))).isEmpty)
        #expect(lineage.eligible == ids("e"))
        // What was let go of comes back with the journal's word, as after an operator's rewind.
        lineage.update(Sample.checkpoint("b", parent: "a", status: .prepared))
        #expect(lineage.eligible == ids("b", "e"))
    }

    @Test("What ends a line no more since it was continued is let go of, though its child went first")
    func continued() {
        let lines = [("a", nil), ("b", "a"), ("c", "b")] as [(String, String?)]
        var lineage = Lineage(lines.map { Sample.checkpoint($0.0, parent: $0.1, status: .done) })
        #expect(lineage.forget(allBut: Set(ids("a", "c"))) == ids("b"))
        #expect(lineage.forget(allBut: Set(ids("c"))) == ids("a"))
    }
}
