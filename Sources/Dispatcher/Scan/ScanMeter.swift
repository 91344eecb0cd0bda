internal import DequeModule

/// Counts what a scan brings, and how much of it a second, over the last minute.
struct ScanMeter: Sendable {
    struct Count: Hashable, Sendable {
        var items: UInt64 = 0
        var bytes: UInt64 = 0
        var pages: UInt64 = 0
        /// Read capacity units.
        var capacity = 0.0
    }

    /// Of all runs of this full sync.
    private(set) var items: UInt64
    private(set) var bytes: UInt64
    /// Of this run.
    private(set) var count = Count()
    /// The oldest first, a second apart; the first is of the run's beginning, or at least a minute old.
    private var samples: Deque<(time: Duration, count: Count)>

    private static let interval: Duration = .seconds(1)
    private static let memory: Duration = .seconds(60)

    init(items: UInt64, bytes: UInt64, now: Duration) {
        (self.items, self.bytes) = (items, bytes)
        samples = [(now, Count())]
    }

    mutating func took(items: Int, bytes: Int, capacity: Double, at now: Duration) {
        self.items += UInt64(items)
        self.bytes += UInt64(bytes)
        count.items += UInt64(items)
        count.bytes += UInt64(bytes)
        count.pages += 1
        count.capacity += capacity
        if let last = samples.last, now - last.time >= Self.interval { samples.append((now, count)) }
        while samples.count > 1, now - samples[1].time >= Self.memory { samples.removeFirst() }
    }

    func rates(at now: Duration) -> ScanProgress.Rates {
        guard let oldest = samples.first, now > oldest.time else { return .init() }
        let seconds = (now - oldest.time) / .seconds(1)
        return .init(
            items: Double(count.items - oldest.count.items) / seconds,
            bytes: Double(count.bytes - oldest.count.bytes) / seconds,
            pages: Double(count.pages - oldest.count.pages) / seconds,
            capacity: (count.capacity - oldest.count.capacity) / seconds)
    }
}
