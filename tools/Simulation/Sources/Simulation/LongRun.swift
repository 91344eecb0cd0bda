internal import CMalloc
internal import Dispatcher
internal import Foundation
internal import Journal
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
        /// Which of its daemons follows: each has what it needs for itself.
        package let daemon: Int
    }

    private static let lines = 2
    /// How long a shard is open.
    package static let life: Duration = .seconds(1800)

    /// From then on what is old leaves the journal as fast as new comes: a week and what a shard lives.
    package static let steady: Duration = .seconds(9 * 86_400)
    /// How much of the heap a shard that is over may take for ever: its place in the lineage (12 bytes) and in the index of names
    /// (8), in arrays that double.
    package static let heapBound = 100
    /// How much longer a shard that is over may make the journal's file for ever: its name, its checkpoint, an entry of the index
    /// and what is left of its events.
    package static let journalBound = 1000
    /// Over fewer generations one page more or less would decide.
    private static let leastSpan = 100

    /// What each generation leaves for ever, measured once the run is steady.
    package struct Growth: Sendable {
        package let generations: Int
        package let heapBytes: Int
        package let journalBytes: Int

        /// - Parameters:
        ///   - samples: of a run that a daemon follows.
        ///   - unfollowed: of the same run without one. What the simulated service takes for itself is not the daemon's.
        /// - Returns: `nil` where the samples span too little of the steady part.
        package init?(_ samples: [Sample], without unfollowed: [Sample]) {
            var (generations, heap, journal) = (0, 0, 0)
            for daemon in Set(samples.map(\.daemon)) {
                let steady = samples.filter { $0.daemon == daemon && $0.virtualTime >= LongRun.steady }
                guard let first = steady.first, let last = steady.last else { continue }
                generations += last.generations - first.generations
                heap += last.heapBytes - first.heapBytes
                journal += last.journalBytes - first.journalBytes
                let service = unfollowed.filter { first.generations...last.generations ~= $0.generations }
                if let begin = service.first, let end = service.last { heap -= end.heapBytes - begin.heapBytes }
            }
            guard generations >= LongRun.leastSpan else { return nil }
            self.generations = generations
            heapBytes = heap / generations
            journalBytes = journal / generations
        }

        /// What is more than it may be.
        package var complaints: [String] {
            var complaints: [String] = []
            if heapBytes > LongRun.heapBound {
                complaints.append(
                    "a shard that is over keeps \(heapBytes) bytes of heap, and may keep \(LongRun.heapBound)")
            }
            if journalBytes > LongRun.journalBound {
                complaints.append(
                    "a shard that is over keeps \(journalBytes) bytes of the journal, and may keep \(LongRun.journalBound)"
                )
            }
            return complaints
        }
    }

    private static let itemsEach = 4

    private let world: World
    private let plan: Plan
    private let folder: String
    private let generations: Int
    private let life: Duration
    private let report: @Sendable (Sample) -> Void

    /// - Parameters:
    ///   - generations: of all lines together.
    ///   - life: how long a shard is open.
    ///   - isFollowed: whether a daemon follows at all; without one the simulated service shows what it takes for itself.
    /// - Returns: what went wrong.
    package static func play(
        generations: Int, life: Duration = LongRun.life, isFollowed: Bool, in folder: String,
        _ report: @escaping @Sendable (Sample) -> Void
    ) -> [Violation] {
        var plan = Plan(seed: 1)
        (plan.tables, plan.shards, plan.keys, plan.target, plan.mode) = (1, 1, 20, .plain, .incr)
        (plan.faults, plan.troubles, plan.poison, plan.disorder, plan.emptyPages) = (0, 0, 0, 0, 0)
        (plan.maximumPoll, plan.discovery, plan.listingLag) = (.seconds(600), .seconds(900), .zero)
        (plan.listingPage, plan.pageSize, plan.startsAtLatest) = (100, 1000, false)
        (plan.filtered, plan.finds) = (0, false)
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var chance = Chance(seed: 1)
        let world = World(plan, &chance, tells: false, judges: false)
        let run = LongRun(
            world: world, plan: plan, folder: folder, generations: generations, life: life, report: report)
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
        await live(from: 0, to: generations / 2, isFollowed: isFollowed)
        // A daemon that starts anew reads all that its journal has.
        await live(from: generations / 2, to: generations, isFollowed: isFollowed)
        guard isFollowed else { return }
        let (made, written) = (generations * Self.itemsEach, world.writtenRecords)
        if made != written { world.violate(.lost, "\(made) records were made, and \(written) written") }
        prove()
    }

    /// What is left of the journal must still be whole.
    private func prove() {
        do throws(JournalError) {
            let journal = try Journal.open(folder, .reader)
            let report = try journal.verify { _ in }
            if report.shards < generations {
                world.violate(.journal, "it knows \(report.shards) shards of \(generations)")
            }
        } catch {
            world.violate(.journal, "\(error)")
        }
    }

    private func live(from first: Int, to last: Int, isFollowed: Bool) async {
        guard isFollowed else { return await make(first, last) }
        let life = Life(world.conductor.lane())
        let process = DaemonProcess(plan, world, in: folder, life: life, untilIdle: nil)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await process.run() }
            group.addTask {
                await make(first, last)
                await wait(.seconds(3600))
                process.stop()
            }
        }
        if let failure = process.failure { world.violate(.ending, failure) }
    }

    private func make(_ first: Int, _ last: Int) async {
        let table = world.schemas[0]
        for index in first..<last {
            world.source { service, now in
                for key in 0..<Self.itemsEach {
                    let item = SimulatedItem.item(
                        SimulatedItem.key(table, (index * Self.itemsEach + key) % 40 * 2), version: index + 1,
                        text: "long")
                    service.write(item, to: table.name, at: now)
                }
                guard let oldest = service.shards(of: table.name.word).suffix(Self.lines).first(where: { !$0.isClosed })
                else { return }
                service.rollOver(oldest.id, of: table.name.word, at: now)
            }
            await wait(life / Self.lines)
            if (index + 1).isMultiple(of: max(1, generations / 20)) { sample(index + 1, daemon: first == 0 ? 1 : 2) }
        }
    }

    private func wait(_ duration: Duration) async {
        try? await world.conductor.sleep(until: world.conductor.now + duration)
    }

    private func sample(_ count: Int, daemon: Int) {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        let size = (try? FileManager.default.attributesOfItem(atPath: folder + "/data.mdb"))?[.size] as? Int
        report(
            Sample(
                generations: count, residentBytes: (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * 4096,
                heapBytes: Int(mallinfo2().uordblks + mallinfo2().hblkhd), journalBytes: size ?? 0,
                virtualTime: world.conductor.now, daemon: daemon))
    }
}
