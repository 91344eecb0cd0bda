import Dispatcher
import Journal
import StreamModel
import Testing

@Suite("Up to when a shard was delivered")
struct DeliveredUntilTests {
    private static let moment = Sample.moment

    private func until(_ payloads: Payload...) -> Timestamp? {
        DeliveredUntil(
            payloads.enumerated().map { index, payload in
                Event(
                    position: Position(UInt64(index + 1)), time: Self.moment + .seconds(1000), run: RunID(Position(1)),
                    subject: .shard(Sample.key("a")), revision: Revision(UInt64(index + 1)), payload: payload)
            }
        ).time
    }

    private func advanced(_ seconds: Int) -> Payload {
        .sequenceAdvanced(
            SequenceAdvanced(
                sequenceNumber: Sample.number(seconds), records: 1, bytes: 1,
                approximateTime: Self.moment + .seconds(seconds), targetToken: nil))
    }

    private func rewound(by author: String) -> Payload {
        .rewound(
            Rewound(
                from: nil, to: nil, inclusive: false, reason: "a test", author: author, cascadeRoot: nil,
                epoch: Epoch.first.next))
    }

    private func resolved(issued: Int?) -> Payload {
        .iteratorResolved(
            IteratorResolved(
                rule: "a test", iteratorType: .latest, sequenceNumber: nil, iterator: Sample.iterator("mine"),
                issued: issued.map { Self.moment + .seconds($0) }))
    }

    @Test("It is the newest of what was delivered, vouched for, or older than the anchor")
    func newest() {
        #expect(until() == nil)
        #expect(until(resolved(issued: 5), resolved(issued: nil)) == Self.moment + .seconds(5))
        #expect(until(advanced(7), .inStep(InStep(until: Self.moment + .seconds(9)))) == Self.moment + .seconds(9))
    }

    @Test("An operator's rewind takes nothing back, and a replay of older records neither; recovery's does")
    func rewinds() {
        #expect(until(advanced(7), rewound(by: "operator"), advanced(2)) == Self.moment + .seconds(7))
        #expect(until(advanced(7), rewound(by: "recovery")) == nil)
        #expect(until(advanced(7), rewound(by: "recovery"), advanced(2)) == Self.moment + .seconds(2))
    }
}
