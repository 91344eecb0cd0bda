internal import StreamModel
internal import StreamSim
internal import Synchronization

/// An operator who asks for another full sync at the worst of moments: a scan is at its end, and the daemon is about to append what
/// follows from that.
final class Ambush: Sendable {
    private static let most = 2

    private let world: World
    private let folder: String
    private let state: Mutex<(chance: Chance, left: Int)>

    init(_ plan: Plan, _ world: World, in folder: String) {
        self.world = world
        self.folder = folder
        state = Mutex((Chance(seed: plan.seed ^ 0x414D_4255_5348), Self.most))
    }

    /// The daemon passes a point.
    func passes(_ point: CrashPoint, _ life: Life) async {
        guard point == .beforeAppend, state.withLock({ $0.left > 0 }), let table = world.scanAtItsEnd else { return }
        let (acts, kills) = state.withLock { state in
            let acts = state.chance.percent(30)
            if acts { state.left -= 1 }
            return (acts, state.chance.percent(50))
        }
        guard acts else { return }
        await Operator(world, in: folder).resync(table)
        world.note("operator: resync, at a scan's very end\(kills ? ", and the daemon is killed" : "")")
        if kills { life.diesNext() }
    }
}
