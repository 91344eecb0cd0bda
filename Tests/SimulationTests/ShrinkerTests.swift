import Foundation
import Simulation
import Testing

@Suite("The shrinker")
struct ShrinkerTests {
    @Test("Whatever the failure doesn't need is left out, and nothing else")
    func shrinks() throws {
        let seed = try #require(
            (1...1000 as ClosedRange<UInt64>).first { seed in
                let plan = Plan(seed: seed)
                return plan.tables == 2 && plan.splits && plan.faults > 10 && plan.lives.count > 2 && plan.rewinds
            })
        var shrinker = Shrinker(Plan(seed: seed), taking: 100, failingWith: .lost)
        shrinker.run { plan in
            (
                plan.splits && plan.faults > 2 && plan.lives.contains { $0.duration >= .seconds(1) } ? .lost : nil,
                plan.faults
            )
        }
        let plan = shrinker.plan
        #expect(plan.splits)
        #expect((3...5).contains(plan.faults))
        #expect(shrinker.steps == plan.faults, "what the last plan that fails took")
        #expect(plan.lives.count == 1)
        #expect(plan.lives[0].duration >= .seconds(1) && plan.lives[0].duration < .seconds(2))
        #expect(plan.tables == 1 && plan.shards == 1 && plan.keys == 1 && plan.items == 0)
        #expect(!plan.rewinds && !plan.pauses && !plan.answers && !plan.expiries)
        #expect(plan.troubles == 0 && plan.disorder == 0 && plan.emptyPages == 0 && plan.poison == 0)
    }

    @Test("A plan that fails in another way is not the same bug made smaller")
    func kinds() {
        var shrinker = Shrinker(Plan(seed: 1), taking: 100, failingWith: .lost)
        shrinker.run { _ in (.order, 1) }
        #expect(shrinker.plan == Plan(seed: 1) && shrinker.steps == 100)
        #expect(shrinker.tries > 10)
    }

    @Test("A plan that takes more steps is not smaller, whatever it leaves out")
    func longer() {
        var shrinker = Shrinker(Plan(seed: 1), taking: 100, failingWith: .lost)
        shrinker.run { _ in (.lost, 101) }
        #expect(shrinker.plan == Plan(seed: 1) && shrinker.steps == 100)
    }

    @Test("No more plans are played than allowed, and no more once they took too many steps")
    func bound() {
        var shrinker = Shrinker(Plan(seed: 1), taking: 1, failingWith: .lost, mostTries: 7)
        shrinker.run { _ in (.lost, 1) }
        #expect(shrinker.tries == 7)
        shrinker = Shrinker(Plan(seed: 1), taking: 2000, failingWith: .lost, mostSteps: 5000)
        shrinker.run { _ in (.lost, 2000) }
        #expect(shrinker.tries == 3)
    }

    @Test("A plan's text says all of it", arguments: 1...50 as ClosedRange<UInt64>)
    func text(seed: UInt64) throws {
        let plan = Plan(seed: seed)
        #expect(try JSONDecoder().decode(Plan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
