internal import CMalloc
internal import Dispatcher
internal import Foundation
internal import StreamModel
internal import StreamSim

/// One table that is followed for years: generation after generation of shards, most of which have left the stream long ago.
///
/// Nobody judges here but by numbers: what is asked is what grows.
package struct LongRun: Sendable {
    package struct Sample: Sendable {
        package let generations: Int
        /// Of the process, with the simulated service in it.
        package let residentBytes: Int
        /// What the heap has handed out.
        package let heapBytes: Int
        package let journalBytes: Int
        package let virtualTime: Duration
    }

    private static let lines = 2
    /// How long a shard is open.
    private static let life: Duration = .seconds(1800)

    private let world: World
    private let plan: Plan
    private let folder: String
    private let generations: Int
    private let report: @Sendable (Sample) -> Void

    /// - Parameters:
    ///   - generations: of all lines together.
    ///   - isFollowed: whether a daemon follows at all; without one the simulated service shows what it takes for itself.
    /// - Returns: what went wrong.
    package static func play(
        generations: Int, isFollowed: Bool, in folder: String, _ report: @escaping @Sendable (Sample) -> Void
    ) -> [Violation] {
        var plan = Plan(seed: 1)
        (plan.tables, plan.shards, plan.keys, plan.target, plan.mode) = (1, 1, 20, .plain, .incr)
        (plan.faults, plan.troubles, plan.poison, plan.disorder, plan.emptyPages) = (0, 0, 0, 0, 0)
        (plan.maximumPoll, plan.discovery, plan.listingLag) = (.seconds(600), .seconds(900), .zero)
        (plan.listingPage, plan.pageSize, plan.startsAtLatest) = (100, 1000, false)
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var chance = Chance(seed: 1)
        let world = World(plan, &chance, tells: false, judges: false)
        let run = LongRun(world: world, plan: plan, folder: folder, generations: generations, report: report)
        do throws(Conductor.Ending) {
            try world.conductor.run(limit: .seconds(100 * 365 * 24 * 3600), jobs: .max) {
                await run.run(isFollowed: isFollowed)
            }
        } catch {
            world.violate(.conductor, "\(error)")
        }
        return world.violations
    }

    private func run(isFollowed: Bool) async {
        let table = world.schemas[0]
        world.source { service, now in
            service.remembersAll = false
            service.settings.shards = Self.lines
            service.make(table, .newImage, at: now)
        }
        await live(for: generations / 2, isFollowed: isFollowed)
        // A daemon that starts anew reads all that its journal has.
        await live(for: generations - generations / 2, isFollowed: isFollowed)
        guard isFollowed else { return }
        let (made, written) = (world.made(of: table.name), world.writtenRecords)
        if made != written { world.violate(.lost, "\(made) records were made, and \(written) written") }
    }

    private func live(for count: Int, isFollowed: Bool) async {
        guard isFollowed else { return await make(count) }
        let life = Life(world.conductor.lane())
        let process = DaemonProcess(plan, world, in: folder, life: life, untilIdle: nil)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await process.run() }
            group.addTask {
                await make(count)
                await wait(.seconds(3600))
                process.stop()
            }
        }
        if let failure = process.failure { world.violate(.ending, failure) }
    }

    private func make(_ count: Int) async {
        let table = world.schemas[0]
        let before = world.shardCount(of: table.name) - Self.lines
        for index in 0..<count {
            world.source { service, now in
                for key in 0..<4 {
                    let item = SimulatedItem.item(
                        SimulatedItem.key(table, (key + index) % 40), version: before + index + 1, text: "long")
                    service.write(item, to: table.name, at: now)
                }
                guard let oldest = service.shards(of: table.name.word).suffix(Self.lines).first(where: { !$0.isClosed })
                else { return }
                service.rollOver(oldest.id, of: table.name.word, at: now)
            }
            await wait(Self.life / Self.lines)
            if (before + index + 1).isMultiple(of: max(1, generations / 20)) { sample(before + index + 1) }
        }
    }

    private func wait(_ duration: Duration) async {
        try? await world.conductor.sleep(until: world.conductor.now + duration)
    }

    private func sample(_ count: Int) {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        let size = (try? FileManager.default.attributesOfItem(atPath: folder + "/data.mdb"))?[.size] as? Int
        report(
            Sample(
                generations: count, residentBytes: (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * 4096,
                heapBytes: Int(mallinfo2().uordblks + mallinfo2().hblkhd), journalBytes: size ?? 0,
                virtualTime: world.conductor.now))
    }
}
