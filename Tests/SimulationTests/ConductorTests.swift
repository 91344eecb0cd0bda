import Simulation
import Testing

@Suite("The conductor")
struct ConductorTests {
    @Test("Time jumps to the next moment that somebody waits for, and stands still otherwise")
    func time() throws {
        let conductor = Conductor(seed: 1, disorder: 0)
        let woken = try conductor.run(limit: .seconds(10_000), jobs: 1000) {
            await withTaskGroup(of: Duration.self) { group in
                for seconds in [3600, 1, 60] {
                    group.addTask {
                        try? await conductor.sleep(until: .seconds(seconds))
                        return conductor.now
                    }
                }
                var woken: [Duration] = []
                for await moment in group { woken.append(moment) }
                return woken
            }
        }
        #expect(woken == [.seconds(1), .seconds(60), .seconds(3600)])
    }

    @Test("A lost wake-up is an end of its own, and so are time and work that never come to one")
    func endings() {
        let stuck = Conductor(seed: 1, disorder: 0)
        #expect(throws: Conductor.Ending.stuck) {
            try stuck.run(limit: .seconds(10), jobs: 100) {
                await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in }
            }
        }
        let slow = Conductor(seed: 1, disorder: 0)
        #expect(throws: Conductor.Ending.outOfTime) {
            try slow.run(limit: .seconds(10), jobs: 100) { try? await slow.sleep(until: .seconds(11)) }
        }
        let busy = Conductor(seed: 1, disorder: 0)
        #expect(throws: Conductor.Ending.outOfJobs) {
            try busy.run(limit: .seconds(10), jobs: 100) { while true { await Task.yield() } }
        }
    }

    @Test("Which of two tasks runs first is the seed's choice")
    func disorder() throws {
        func order(seed: UInt64) throws -> [Int] {
            let conductor = Conductor(seed: seed, disorder: 50)
            return try conductor.run(limit: .seconds(10), jobs: 10_000) {
                await withTaskGroup(of: Int.self) { group in
                    for index in 0..<8 { group.addTask { index } }
                    var order: [Int] = []
                    for await index in group { order.append(index) }
                    return order
                }
            }
        }
        #expect(try order(seed: 1) == order(seed: 1))
        #expect(try Set((1...20).map { try order(seed: $0) }).count > 1)
    }

    @Test("A process that is stopped runs nothing while time goes on, and then all that it missed")
    func stops() throws {
        let conductor = Conductor(seed: 1, disorder: 0)
        let lane = conductor.lane()
        let woken = try conductor.run(limit: .seconds(10_000), jobs: 1000) {
            let process = Task(executorPreference: lane) {
                try? await conductor.sleep(until: .seconds(10))
                return conductor.now
            }
            try? await conductor.sleep(until: .seconds(5))
            lane.stop()
            try? await conductor.sleep(until: .seconds(3600))
            lane.resume()
            return await process.value
        }
        #expect(woken == .seconds(3600))
    }
}
