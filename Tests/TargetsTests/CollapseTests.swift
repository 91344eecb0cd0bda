import StreamModel
import Targets
import Testing

@Suite("Collapsing a write")
struct CollapseTests {
    /// A batch whose keys are letters, in order: capitals are removals.
    private func batch(_ letters: String, table: TableSchema = .people, first: Int = 1) -> Batch {
        Feed.batch(
            table, first: first,
            letters.map { letter in
                let keys = #"{"id":{"S":"\#(letter.lowercased())"}}"#
                return letter.isUppercase ? .remove(keys: keys) : .insert(keys: keys, new: keys)
            })
    }

    /// What remains, as the letters it was made of.
    private func collapse(_ batches: [Batch]) -> [String] {
        let rows = Collapse.lastChanges(of: batches) { _, part, change in
            CanonicalKey(hash: Array(part.body[change.keys.range]), range: nil)
        }
        return zip(batches, rows).map { batch, rows in
            rows.map { row in
                let keys = batch.parts[row.part].body[row.change.keys.range]
                let letter = String(decoding: keys, as: UTF8.self).dropFirst(12).prefix(1)
                return row.change.kind == .remove ? letter.uppercased() : String(letter)
            }.joined()
        }
    }

    @Test(
        "leaves each key its last change, in the order of those",
        arguments: [
            ("", ""), ("a", "a"), ("ab", "ab"), ("aa", "a"), ("aba", "ba"), ("abAB", "AB"), ("aAa", "a"),
            ("abcabcA", "bcA"),
        ])
    func last(letters: String, expected: String) { #expect(collapse([batch(letters)]) == [expected]) }

    @Test("reaches over the batches of one write")
    func overBatches() {
        #expect(collapse([batch("abc"), batch("Ad", first: 4), batch("b", first: 6)]) == ["c", "Ad", "b"])
    }

    @Test("reaches over the pages of one batch")
    func overPages() {
        let pages = [batch("ab"), batch("a", first: 3)].flatMap(\.parts)
        let origin = Batch.Origin.shard(Feed.key(of: .people), epoch: .first, upTo: Feed.number(3))
        #expect(collapse([Batch(table: .people, origin: origin, parts: pages)]) == ["ba"])
    }

    @Test("keeps tables apart")
    func tables() {
        let other = TableSchema("others", ("id", .string))
        #expect(collapse([batch("ab"), batch("A", table: other)]) == ["ab", "A"])
    }

    @Test("keeps a key of one part and a key of two apart")
    func parts() {
        #expect(CanonicalKey(hash: [1], range: nil) != CanonicalKey(hash: [1], range: []))
    }

    @Test("keeps the last by order of arrival, which is the order of sequence numbers, whatever the creation times say")
    func byArrival() {
        let states = Feed.part([.insert(keys: #"{"id":{"S":"a"}}"#, new: #"{"id":{"S":"a"}}"#)], first: 1)
        func change(at seconds: Int64, number: Int) -> Change {
            Change(
                kind: .modify, sequenceNumber: Feed.number(number),
                approximateTime: Timestamp(microseconds: seconds * 1_000_000),
                keys: states.changes[0].keys, newImage: states.changes[0].newImage, oldImage: nil)
        }
        let part = Batch.Part(body: states.body, changes: [change(at: 20, number: 1), change(at: 10, number: 2)])
        let origin = Batch.Origin.shard(Feed.key(of: .people), epoch: .first, upTo: Feed.number(2))
        let rows = Collapse.lastChanges(of: [Batch(table: .people, origin: origin, parts: [part])]) { _, _, _ in
            CanonicalKey(hash: [1], range: nil)
        }
        #expect(rows.map { $0.map(\.change.sequenceNumber) } == [[Feed.number(2)]])
    }
}
