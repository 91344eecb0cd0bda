internal import Dispatcher
internal import Foundation
internal import StreamModel
internal import StreamSim

/// Plays one plan from its beginning to its end.
package struct Scenario: Sendable {
    package struct Result: Sendable {
        package let plan: Plan
        /// What was violated; none is as it should be.
        package let violations: [Violation]
        /// Empty unless it was asked for.
        package let trail: [String]
        package let coverage: [String: Int]
        package let jobs: Int
    }

    private let plan: Plan
    private let folder: String
    private let world: World
    private let chance: Chance
    private let ambush: Ambush

    /// How often the operator may have to put something right before all is at rest.
    private static let rounds = 30

    /// - Parameters:
    ///   - folder: for the journal; made anew.
    ///   - tells: whether to keep a trail of what happens. What happens is the same.
    package static func play(_ plan: Plan, in folder: String, tells: Bool = false) -> Result {
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var chance = Chance(seed: plan.seed ^ 0x5348_414B_45)
        let world = World(plan, &chance, tells: tells)
        let scenario = Scenario(
            plan: plan, folder: folder, world: world, chance: chance, ambush: Ambush(plan, world, in: folder))
        do throws(Conductor.Ending) {
            try world.conductor.run(limit: .seconds(400 * 24 * 3600), jobs: 3_000_000) { await scenario.run() }
        } catch {
            world.violate(.conductor, "\(error)")
        }
        return Result(
            plan: plan, violations: world.violations, trail: world.trail, coverage: world.coverage,
            jobs: world.conductor.jobs)
    }

    private func run() async {
        var chance = chance
        var chaos = Chaos(plan, world, in: folder, chance.split())
        var operating = chance.split()
        chaos.prepare()
        if plan.lead > .zero { await chaos.pause(plan.lead) }
        var backup: JournalBackup?
        defer { backup?.discard() }
        for (index, life) in plan.lives.enumerated() {
            world.say("life \(index + 1) begins: \(life)")
            world.setTroubles(plan.troubles)
            world.source { service, _ in service.settings.fail(plan.faults) }
            chaos = await live(life, chaos)
            guard world.violations.isEmpty else { return }
            if let restored = life.restored {
                world.restore(without: restored)
            }
            switch life.journal {
            case .backup: backup = JournalBackup(of: folder, world) ?? backup
            case .restore:
                if backup?.restore(to: folder, world) == true { chaos.forgetRewinds() }
            case nil: break
            }
            await chaos.pause(life.downtime)
        }
        chaos.makeTables()
        await settle(&operating)
    }

    // MARK: - One life

    private func live(_ life: Plan.LifePlan, _ chaos: Chaos) async -> Chaos {
        let process = DaemonProcess(
            plan, world, in: folder, life: makeLife(steps: life.steps ?? .max), untilIdle: nil,
            ambush: plan.resyncs ? ambush : nil)
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

    private func makeLife(steps: Int = .max) -> Life {
        Life(world.conductor.lane(), steps: steps) { [world] step in
            world.note("killed: \(step.name)")
            world.say("the daemon is killed \(step.name)")
        }
    }

    /// Nothing fails any more, and nobody interferes but an operator who puts right what waits for one: now all must come.
    private func settle(_ operating: inout Chance) async {
        world.say("the run settles")
        world.setTroubles(0)
        world.heal()
        world.source { service, _ in
            service.settings.calm()
        }
        // Longer than anything that is only slow: a poll, or a listing that is late and asked for seldom.
        let patience = max(.seconds(20), plan.maximumPoll * 5, plan.listingLag + plan.discovery * 2)
        for _ in 0..<Self.rounds {
            let process = DaemonProcess(
                plan, world, in: folder, life: makeLife(), mode: world.needsScan ? .all : nil, untilIdle: patience)
            await process.run()
            check(isSettled: process.failure == nil)
            guard world.violations.isEmpty else { return }
            let needsScan = world.needsScan
            let hasActed = await Operator(world, in: folder).putRight(&operating)
            if !hasActed, !world.withoutStream.isEmpty {
                // A loss comes before it, and what the policy says of that; and tables that can be scanned.
                if world.needsScan(besides: world.withoutStream) { continue }
                guard saysThatStreamsAreMissing(process) else {
                    if needsScan { continue }
                    return world.violate(
                        .ending, "a stream is missing, and the last run ended with: \(process.failure ?? "")")
                }
                guard plan.leavesStreamsOff else {
                    for table in world.withoutStream { _ = world.switchStream(of: table, to: StreamView(plan)) }
                    continue
                }
                world.note("source: a stream is left off")
                return world.violate(world.finalViolations(in: folder))
            }
            if process.failure == nil, !hasActed, !needsScan {
                return world.violate(world.finalViolations(in: folder))
            }
            if let failure = process.failure, !hasActed, !needsScan {
                return world.violate(.ending, "the last run ended with: \(failure)")
            }
        }
        world.violate(.ending, "an operator had to act \(Self.rounds) times")
    }

    /// Whether the daemon says of each table without a stream that it has none.
    private func saysThatStreamsAreMissing(_ process: DaemonProcess) -> Bool {
        world.withoutStream.allSatisfy { process.failure?.contains("table \($0): it has no stream") == true }
    }

    private func check(isSettled: Bool) { world.violate(world.violationsAtRest(in: folder, isSettled: isSettled)) }
}
