internal import StreamModel
internal import Synchronization

/// The jobs of one table's shards that are read now, awake or asleep.
final class ShardJobs: Sendable {
    private let jobs = Mutex<[ShardID: ShardJob]>([:])
    /// Shards that slept and have something to do.
    let woken = Inbox<ShardID>()

    subscript(shard: ShardID) -> ShardJob? {
        get { jobs.withLock { $0[shard] } }
        set { jobs.withLock { $0[shard] = newValue } }
    }

    /// Has all of them finish what is in flight.
    func interrupt() {
        for job in jobs.withLock({ Array($0.values) }) { job.interrupt() }
    }

    /// Goes on with those that are woken, until it is cancelled. Apart from the table's own task, which may be busy: calls whose turns
    /// have come would be made all at once when it isn't any more.
    ///
    /// - Parameter told: of how each has ended that does not fall asleep again.
    func runWoken(_ told: @escaping @Sendable (TableFollower.Event) -> Void) async {
        await withDiscardingTaskGroup { group in
            while true {
                await woken.arrival()
                let shards = woken.take()
                if shards.isEmpty { return }  // cancelled
                for job in shards.compactMap({ self[$0] }) {
                    group.addTask {
                        let event = await job.run()
                        if case .readerAsleep = event { return }
                        told(event)
                    }
                }
            }
        }
    }
}
