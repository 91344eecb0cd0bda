package import StreamModel

extension World {
    /// Time and chance for one process of the daemon.
    package func surroundings(of life: Life) -> Surroundings { surroundings(of: life, nil) }

    /// - Parameter ambush: who lies in wait for the process.
    func surroundings(of life: Life, _ ambush: Ambush?) -> Surroundings {
        let world = self
        var surroundings = Surroundings(
            clock: VirtualClock(conductor), now: { world.now }, random: { world.draw() }, executor: life.lane,
            passing: { point in
                world.note("crash point: \(point.rawValue)")
                guard await life.step(.point(point)) else { return }
                await ambush?.passes(point, life)
            })
        surroundings.observing = { world.note($0) }
        return surroundings
    }
}
