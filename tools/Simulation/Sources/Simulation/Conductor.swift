internal import HeapModule
internal import StreamSim
internal import Synchronization

/// Runs a whole program of tasks on one thread, in virtual time, in an order that a seed decides.
///
/// Swift promises nothing about which of two tasks that are ready runs first. So whichever the seed picks is an order that
/// the real program may see, and the same seed picks the same one again. Time stands still while anything can run, and
/// then jumps to the next moment that somebody waits for.
///
/// A program is played again exactly if it touches nothing but what is given to it: no thread, no clock and no chance of
/// its own, and no order of a hashed collection but that of `SWIFT_DETERMINISTIC_HASHING=1`.
package final class Conductor: TaskExecutor {
    /// The tasks of one process, which can be stopped as SIGSTOP stops it: time goes on, and none of them runs.
    package final class Lane: TaskExecutor {
        private let conductor: Conductor
        fileprivate let id: Int

        fileprivate init(_ conductor: Conductor, id: Int) {
            self.conductor = conductor
            self.id = id
        }

        package func enqueue(_ job: consuming ExecutorJob) {
            conductor.enqueue(Piece(job: UnownedJob(job), lane: self))
        }

        /// Lets nothing run that is not running, until `resume`.
        package func stop() { conductor.stop(self) }
        package func resume() { conductor.resume(self) }
    }

    private struct Timer: Comparable {
        let deadline: Duration
        let id: UInt64

        static func < (a: Timer, b: Timer) -> Bool { (a.deadline, a.id) < (b.deadline, b.id) }
    }

    /// Something that can run.
    private struct Piece {
        let job: UnownedJob
        /// `nil`: it is of no process.
        let lane: Lane?
    }

    private struct State {
        var chance: Chance
        var ready: [Piece] = []
        /// What is ready of lanes that are stopped.
        var held: [Int: [Piece]] = [:]
        var lanes = 0
        var now: Duration = .zero
        var nextID: UInt64 = 0
        var timers = Heap<Timer>()
        /// Who waits for each timer; one that isn't here was cancelled.
        var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var jobs = 0
    }

    private let state: Mutex<State>
    /// How often, of a hundred picks, another task than the one that waits longest is picked.
    private let disorder: Int

    package init(seed: UInt64, disorder: Int) {
        state = Mutex(State(chance: Chance(seed: seed)))
        self.disorder = disorder
    }

    /// Since the beginning.
    package var now: Duration { state.withLock { $0.now } }

    /// How many pieces of work were run: what a run costs, and the same for the same seed.
    package var jobs: Int { state.withLock { $0.jobs } }

    package func lane() -> Lane {
        let id = state.withLock { state in
            state.lanes += 1
            return state.lanes
        }
        return Lane(self, id: id)
    }

    package func enqueue(_ job: consuming ExecutorJob) { enqueue(Piece(job: UnownedJob(job), lane: nil)) }

    private func enqueue(_ piece: Piece) {
        state.withLock { state in
            if let lane = piece.lane, state.held[lane.id] != nil {
                state.held[lane.id]?.append(piece)
            } else {
                state.ready.append(piece)
            }
        }
    }

    private func stop(_ lane: Lane) {
        state.withLock { state in
            guard state.held[lane.id] == nil else { return }
            state.held[lane.id] = state.ready.filter { $0.lane === lane }
            state.ready.removeAll { $0.lane === lane }
        }
    }

    private func resume(_ lane: Lane) {
        state.withLock { state in
            if let held = state.held.removeValue(forKey: lane.id) { state.ready += held }
        }
    }

    package enum Ending: Error, Hashable, Sendable {
        /// Nothing can run and nobody waits for a moment: a wake-up was lost.
        case stuck
        /// The program was still at it.
        case outOfTime
        case outOfJobs
    }

    /// Runs `program`, and all that it starts, to its end.
    ///
    /// - Parameters:
    ///   - limit: how far time may go.
    ///   - jobs: how many pieces of work may be run.
    /// - Throws: an `Ending`, where the program has none.
    package func run<R: Sendable>(
        limit: Duration, jobs: Int, _ program: @escaping @Sendable () async -> R
    ) throws(Ending) -> R {
        let result = Mutex<R?>(nil)
        Task(executorPreference: self) {
            let value = await program()
            result.withLock { $0 = value }
        }
        while true {
            if let value = result.withLock({ $0 }) { return value }
            switch next(limit: limit, jobs: jobs) {
            case .run(let piece):
                if let lane = piece.lane {
                    unsafe piece.job.runSynchronously(on: lane.asUnownedTaskExecutor())
                } else {
                    unsafe piece.job.runSynchronously(on: asUnownedTaskExecutor())
                }
            case .wake(let continuation): continuation.resume()
            case .end(let ending): throw ending
            }
        }
    }

    private enum Step {
        case run(Piece)
        case wake(CheckedContinuation<Void, Never>)
        case end(Ending)
    }

    private func next(limit: Duration, jobs: Int) -> Step {
        state.withLock { state in
            if !state.ready.isEmpty {
                guard state.jobs < jobs else { return .end(.outOfJobs) }
                state.jobs += 1
                let picksOther = state.ready.count > 1 && state.chance.percent(disorder)
                let index = picksOther ? state.chance.below(state.ready.count) : 0
                return .run(state.ready.remove(at: index))
            }
            while let timer = state.timers.popMin() {
                guard let continuation = state.sleepers.removeValue(forKey: timer.id) else { continue }
                guard timer.deadline <= limit else { return .end(.outOfTime) }
                state.now = max(state.now, timer.deadline)
                return .wake(continuation)
            }
            return .end(.stuck)
        }
    }

    /// Waits until time has come to `deadline`.
    package func sleep(until deadline: Duration) async throws(CancellationError) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.timers.insert(Timer(deadline: deadline, id: id))
                    state.sleepers[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.resume()
        }
        if Task.isCancelled { throw CancellationError() }
    }
}
