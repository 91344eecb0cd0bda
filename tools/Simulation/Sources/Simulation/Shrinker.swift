internal import Dispatcher
internal import Journal

/// Makes a plan that fails smaller, as long as it fails in the same way.
package struct Shrinker: Sendable {
    /// Plays a plan; what it violates first, and how many steps of work that took.
    package typealias Play = (Plan) -> (kind: Violation.Kind?, steps: Int)

    private let kind: Violation.Kind
    private let mostTries: Int
    private let mostSteps: Int
    private var stepsTaken = 0
    package private(set) var plan: Plan
    /// How many steps of work `plan` takes.
    package private(set) var steps: Int
    /// Plans that were played.
    package private(set) var tries = 0

    /// - Parameters:
    ///   - steps: how many steps of work it takes. What takes more is no smaller, whatever is left out.
    ///   - kind: what it violates first.
    ///   - mostTries: how many plans may be played.
    ///   - mostSteps: and after how many steps of work no more is: one that has no end takes millions.
    package init(
        _ plan: Plan, taking steps: Int, failingWith kind: Violation.Kind, mostTries: Int = 400,
        mostSteps: Int = 10_000_000
    ) {
        self.plan = plan
        self.steps = steps
        self.kind = kind
        (self.mostTries, self.mostSteps) = (mostTries, mostSteps)
    }

    private var mayGoOn: Bool { tries < mostTries && stepsTaken < mostSteps }

    /// Tries one thing less after the other, until none can be left out or the tries are used up.
    package mutating func run(_ play: Play, progress: (Plan) -> Void = { _ in }) {
        var hasShrunk = true
        while hasShrunk, mayGoOn {
            hasShrunk = false
            for step in Self.steps(of: plan) {
                guard mayGoOn else { return }
                // What was left out meanwhile may be what this step was about.
                guard let smaller = step(plan), smaller != plan else { continue }
                let played = play(smaller)
                tries += 1
                stepsTaken += played.steps
                guard played.kind == kind, played.steps <= steps else { continue }
                (plan, steps) = (smaller, played.steps)
                hasShrunk = true
                progress(plan)
            }
        }
    }

    private typealias Step = (Plan) -> Plan?

    /// The boldest first.
    private static func steps(of plan: Plan) -> [Step] {
        var steps: [Step] = plan.lives.indices.reversed().map { index in
            { plan in
                guard plan.lives.count > 1, plan.lives.indices.contains(index) else { return nil }
                var plan = plan
                plan.lives.remove(at: index)
                return plan
            }
        }
        func set<T>(_ path: WritableKeyPath<Plan, T>, _ value: T) {
            steps.append { plan in
                var plan = plan
                plan[keyPath: path] = value
                return plan
            }
        }
        func halve(_ path: WritableKeyPath<Plan, Int>, downTo least: Int) {
            steps.append { plan in
                guard plan[keyPath: path] > least else { return nil }
                var plan = plan
                plan[keyPath: path] = max(least, plan[keyPath: path] / 2)
                return plan
            }
        }
        set(\.tables, 1)
        set(\.faults, 0)
        set(\.troubles, 0)
        set(\.poison, 0)
        set(\.disorder, 0)
        set(\.emptyPages, 0)
        set(\.rewinds, false)
        set(\.pauses, false)
        set(\.answers, false)
        set(\.expiries, false)
        set(\.outages, false)
        set(\.lead, .zero)
        set(\.splits, false)
        set(\.switchesStreams, false)
        set(\.leavesStreamsOff, true)
        set(\.idles, false)
        set(\.pausesReading, false)
        set(\.resyncs, false)
        set(\.filtered, 0)
        set(\.scansConsistently, true)
        set(\.finds, false)
        set(\.scanPace, .zero)
        set(\.startsAtLatest, false)
        set(\.mode, .incr)
        steps.append { plan in
            // A target without positions can't know that it was restored, and none is.
            guard plan.lives.allSatisfy({ $0.restored == nil }) else { return nil }
            var plan = plan
            plan.target = .plain
            return plan
        }
        set(\.onLoss, .skip)
        set(\.letterLimit, 100)
        set(\.listingLag, .zero)
        set(\.listingPage, 100)
        set(\.pageSize, 1000)
        set(\.items, 0)
        halve(\.shards, downTo: 1)
        halve(\.keys, downTo: 1)
        halve(\.items, downTo: 0)
        halve(\.faults, downTo: 1)
        halve(\.troubles, downTo: 1)
        halve(\.poison, downTo: 1)
        for index in plan.lives.indices {
            steps += [
                life(index) { $0.journal = nil }, life(index) { $0.restored = nil }, life(index) { $0.steps = nil },
                life(index) { $0.downtime = .milliseconds(10) }, life(index) { $0.downtime = $0.downtime / 2 },
                life(index) { $0.duration = $0.duration / 2 }, life(index) { $0.duration = $0.duration * 3 / 4 },
                life(index) { $0.steps = $0.steps.map { max(1, $0 / 2) } },
            ]
        }
        return steps
    }

    private static func life(_ index: Int, _ change: @escaping (inout Plan.LifePlan) -> Void) -> Step {
        { plan in
            guard plan.lives.indices.contains(index) else { return nil }
            var plan = plan
            change(&plan.lives[index])
            return plan
        }
    }
}
