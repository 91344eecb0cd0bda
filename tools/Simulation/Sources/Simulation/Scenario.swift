internal import Foundation
internal import StreamModel
internal import StreamSim

/// Plays one plan from its beginning to its end.
package struct Scenario: Sendable {
    package struct Result: Sendable {
        package let plan: Plan
        /// What was violated; none is as it should be.
        package let violations: [String]
        package let trail: [String]
        package let coverage: [String: Int]
        package let jobs: Int
    }

    private let plan: Plan
    private let folder: String
    private let world: World
    private let chance: Chance

    /// - Parameter folder: for the journal; made anew.
    package static func play(_ plan: Plan, in folder: String) -> Result {
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var chance = Chance(seed: plan.seed ^ 0x5348_414B_45)
        let world = World(plan, &chance)
        let scenario = Scenario(plan: plan, folder: folder, world: world, chance: chance)
        do throws(Conductor.Ending) {
            try world.conductor.run(limit: .seconds(400 * 24 * 3600), jobs: 20_000_000) { await scenario.run() }
        } catch {
            world.violate("the run came to no end: \(error)")
        }
        return Result(
            plan: plan, violations: world.violations, trail: world.trail, coverage: world.coverage,
            jobs: world.conductor.jobs)
    }

    private func run() async {
        var chance = chance
        var chaos = Chaos(plan, world, in: folder, chance.split())
        chaos.prepare()
        for (index, life) in plan.lives.enumerated() {
            world.say("life \(index + 1) begins: \(life)")
            world.setTroubles(plan.troubles)
            world.source { service, _ in service.settings.fail(plan.faults) }
            chaos = await live(life, chaos)
            guard world.violations.isEmpty else { return }
            if let restored = life.restored {
                world.restore(without: restored)
            }
            await chaos.pause(life.downtime)
        }
        await settle()
    }

    // MARK: - One life

    private func live(_ life: Plan.LifePlan, _ chaos: Chaos) async -> Chaos {
        let process = DaemonProcess(plan, world, in: folder, life: Life(steps: life.steps ?? .max), untilIdle: nil)
        let rest = await withTaskGroup(of: Chaos?.self) { group in
            group.addTask {
                await process.run()
                return nil
            }
            group.addTask { [conductor = world.conductor] in
                var chaos = chaos
                await chaos.act(until: conductor.now + life.duration, while: process.life)
                process.stop()
                return chaos
            }
            var rest = chaos
            for await result in group { if let result { rest = result } }
            return rest
        }
        check(isSettled: false)
        return rest
    }

    /// Nothing fails any more, and nobody interferes: now all must come.
    private func settle() async {
        world.say("the run settles")
        world.setTroubles(0)
        world.source { service, _ in
            service.settings.fail(0)
            // However long a daemon waits, so many pages in a row may be empty.
            service.settings.emptyPages = 0
        }
        // Longer than anything that is only slow: a poll, or a listing that is late and asked for seldom.
        let patience = max(.seconds(100), plan.maximumPoll * 5, plan.listingLag + plan.discovery * 2)
        let process = DaemonProcess(plan, world, in: folder, life: Life(), untilIdle: patience)
        await process.run()
        check(isSettled: true)
        if let failure = process.failure { world.violate("the last run ended with: \(failure)") }
        for violation in world.finalViolations(in: folder) { world.violate(violation) }
    }

    private func check(isSettled: Bool) {
        for violation in world.violationsAtRest(in: folder, isSettled: isSettled) { world.violate(violation) }
    }
}
