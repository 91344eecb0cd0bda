import Comparison
import StreamModel
import Targets
import Testing

@Suite("Two copies of an item")
struct DifferenceTests {
    private static func key(_ text: String) -> CanonicalKey { CanonicalKey(hash: Array(text.utf8), range: nil) }
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func item(_ attributes: KeyValuePairs<String, AttributeValue>) -> Item {
        attributes.reduce(into: [:]) { $0[bytes($1.key)] = $1.value }
    }

    @Test("are equal by value, or differ in the attributes that are named, in their order")
    func values() {
        let young = Self.item(["id": .string([1]), "age": .number(Self.bytes("1"))])
        let old = Self.item(["id": .string([1]), "age": .number(Self.bytes("2")), "a": .null])
        #expect(Difference(source: young, target: young) == nil)
        #expect(Difference(source: nil, target: nil) == nil)
        #expect(Difference(source: young, target: nil) == .missing)
        #expect(Difference(source: nil, target: young) == .extra)
        #expect(
            Difference(source: young, target: old) == .different(attributes: [Self.bytes("a"), Self.bytes("age")]))
    }

    @Test("are not told apart by a name's look: é and e with an accent are two attributes")
    func names() {
        let (one, two) = (Self.item(["\u{E9}": .null]), Self.item(["e\u{301}": .null]))
        #expect(
            Difference(source: one, target: two)
                == .different(attributes: [Self.bytes("e\u{301}"), Self.bytes("\u{E9}")]))
    }

    private static let patience = Suspect.Patience(settle: .seconds(5), limit: .seconds(60))
    private static let (a, b, c) = (item(["v": .bool(true)]), item(["v": .bool(false)]), item(["v": .null]))

    @Test("differ only once neither has moved for as long as it takes to settle")
    func settled() {
        var suspect = Suspect(Self.key("a"), at: .seconds(100))
        func look(_ source: Item?, _ target: Item?, at second: Int) -> Suspect.Verdict {
            suspect.look(source: source, target: target, at: .seconds(second), Self.patience)
        }
        #expect(look(Self.a, Self.b, at: 100) == .lookAgain, "seen once, it may be on its way")
        #expect(look(Self.a, Self.b, at: 104) == .lookAgain, "too soon")
        #expect(look(Self.c, Self.b, at: 105) == .lookAgain, "the source moved")
        #expect(look(Self.c, Self.a, at: 110) == .lookAgain, "the target moved")
        #expect(look(Self.c, Self.a, at: 115) == .differs(.different(attributes: [Self.bytes("v")])))
    }

    @Test("are equal as soon as they are seen so")
    func equal() {
        var suspect = Suspect(Self.key("a"), at: .zero)
        #expect(suspect.look(source: Self.a, target: nil, at: .zero, Self.patience) == .lookAgain)
        #expect(suspect.look(source: Self.a, target: Self.a, at: .seconds(1), Self.patience) == .equal)
    }

    @Test("that move at each look are given up, and are no difference")
    func moving() {
        var suspect = Suspect(Self.key("a"), at: .zero)
        var verdicts: [Suspect.Verdict] = []
        for second in stride(from: 0, through: 60, by: 5) {
            let source = Self.item(["v": .number(Self.bytes("\(second)"))])
            verdicts.append(
                suspect.look(source: source, target: Self.a, at: .seconds(second), Self.patience))
        }
        #expect(verdicts.dropLast().allSatisfy { $0 == .lookAgain })
        #expect(verdicts.last == .moving)
    }

    @Test("A missing, an extra and a different item are each confirmed", arguments: [true, false])
    func kinds(isMissing: Bool) {
        var suspect = Suspect(Self.key("a"), at: .zero)
        let (source, target) = isMissing ? (Self.a, nil) : (nil, Self.a)
        #expect(suspect.look(source: source, target: target, at: .zero, Self.patience) == .lookAgain)
        #expect(
            suspect.look(source: source, target: target, at: .seconds(5), Self.patience)
                == .differs(isMissing ? .missing : .extra))
    }

    @Test("A sample has the same keys each time, and about as many as were asked for")
    func sample() {
        let keys = (0..<10_000).map { Self.key("customer-\($0)") }
        let sample = Sample(share: 0.1)
        let chosen = keys.filter(sample.has)
        #expect(chosen == keys.filter(sample.has))
        #expect((850...1150).contains(chosen.count), "\(chosen.count)")
        #expect(keys.allSatisfy(Sample.everything.has))
        #expect(
            keys.filter(Sample(share: 0.05).has).allSatisfy(sample.has), "a smaller one is a part of a larger one")
        let pairs = (0..<1000).map { CanonicalKey(hash: [1], range: Self.bytes("\($0)")) }
        #expect((50...150).contains(pairs.filter(sample.has).count), "items of one partition are told apart")
    }
}
