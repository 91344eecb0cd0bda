import Targets
import Testing

@testable import DynamoDBTarget

@Suite("Keys in doubt")
struct DoubtfulKeysTests {
    private static func key(_ name: String, table: String = "people") -> DoubtfulKeys.Key {
        DoubtfulKeys.Key(table: table, key: CanonicalKey(hash: Array(name.utf8), range: nil))
    }

    /// Opened at 0, and out of the first doubt.
    private static func settled(limit: Int = 10_000) -> DoubtfulKeys {
        DoubtfulKeys(settle: .seconds(10), limit: limit, openedAt: .seconds(-10))
    }

    @Test("At first everything waits: who wrote before may have left calls under way")
    func opened() {
        let doubts = DoubtfulKeys(settle: .seconds(10), openedAt: .seconds(5))
        #expect(doubts.earliest(1, of: Self.key("ann")) == .seconds(15))
        #expect(!doubts.isClear(at: .seconds(14)))
        #expect(doubts.isClear(at: .seconds(15)))
    }

    @Test("A different change of a key in doubt waits until it is settled; the same, and other keys, do not")
    func noted() {
        var doubts = Self.settled()
        doubts.note([(Self.key("ann"), 1)], at: .seconds(100))
        #expect(doubts.earliest(2, of: Self.key("ann")) == .seconds(110))
        #expect(doubts.earliest(1, of: Self.key("ann")) <= .seconds(100))
        #expect(doubts.earliest(2, of: Self.key("bob")) <= .seconds(100))
        #expect(doubts.earliest(2, of: Self.key("ann", table: "people.archive")) <= .seconds(100))
        #expect(!doubts.isClear(at: .seconds(109)))
    }

    @Test("A second try that is given up begins the time anew")
    func again() {
        var doubts = Self.settled()
        doubts.note([(Self.key("ann"), 1)], at: .seconds(100))
        doubts.note([(Self.key("ann"), 1)], at: .seconds(105))
        #expect(doubts.earliest(2, of: Self.key("ann")) == .seconds(115))
    }

    @Test("What is settled is forgotten")
    func forgotten() {
        var doubts = Self.settled()
        doubts.note([(Self.key("ann"), 1)], at: .seconds(100))
        doubts.forget(at: .seconds(110))
        #expect(doubts == Self.settled())
    }

    @Test("Where more keys are in doubt than are remembered, every change waits, the same one too")
    func bounded() {
        var doubts = Self.settled(limit: 3)
        doubts.note((0..<4).map { (Self.key("\($0)"), 1) }, at: .seconds(100))
        #expect(doubts.earliest(1, of: Self.key("0")) == .seconds(110))
        #expect(doubts.earliest(1, of: Self.key("another")) == .seconds(110))
        #expect(doubts.isClear(at: .seconds(110)))
    }

    @Test("Calls come back in any order: past the bound the longest doubt goes for all keys")
    func boundedOutOfOrder() {
        var doubts = Self.settled(limit: 3)
        doubts.note((0..<2).map { (Self.key("\($0)"), 1) }, at: .seconds(105))
        doubts.note((2..<4).map { (Self.key("\($0)"), 1) }, at: .seconds(100))
        #expect(doubts.earliest(2, of: Self.key("0")) == .seconds(115))
        #expect(doubts.earliest(2, of: Self.key("3")) == .seconds(115))
        #expect(!doubts.isClear(at: .seconds(114)))
    }

    @Test("What is noted late, of an earlier try, shortens no doubt")
    func late() {
        var doubts = Self.settled()
        doubts.note([(Self.key("ann"), 1)], at: .seconds(105))
        doubts.note([(Self.key("ann"), 1)], at: .seconds(100))
        #expect(doubts.earliest(2, of: Self.key("ann")) == .seconds(115))
    }

    @Test("Notes that are settled make room for others")
    func roomMade() {
        var doubts = Self.settled(limit: 3)
        doubts.note((0..<3).map { (Self.key("\($0)"), 1) }, at: .seconds(100))
        doubts.note((3..<6).map { (Self.key("\($0)"), 1) }, at: .seconds(110))
        #expect(doubts.earliest(2, of: Self.key("another")) <= .seconds(110))
        #expect(doubts.earliest(2, of: Self.key("4")) == .seconds(120))
    }
}
