package import StreamModel

extension World {
    /// Time and chance for one process of the daemon.
    package func surroundings(of life: Life) -> Surroundings {
        let world = self
        var surroundings = Surroundings(
            clock: VirtualClock(conductor), now: { world.now }, random: { world.draw() }, executor: life.lane,
            passing: { point in
                world.note("crash point: \(point.rawValue)")
                _ = await life.step(.point(point))
            })
        surroundings.observing = { world.note($0) }
        return surroundings
    }
}
