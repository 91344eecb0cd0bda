internal import Dispatcher
internal import StreamModel

/// How a table's figures have gone since somebody began to watch, however long ago that is: never more than `capacity` steps, each
/// of which stands for more looks the longer it lasts.
struct TableTrend: Hashable, Sendable {
    static let capacity = 16

    struct Step: Hashable, Sendable {
        /// Records and scanned items that became durable in it.
        var gained: UInt64 = 0
        var seconds: Double = 0
        /// The worst of it; `nil` where none is known.
        var lag: Duration?

        var rate: Double? { seconds > 0 ? Double(gained) / seconds : nil }

        fileprivate func joined(by other: Step) -> Step {
            Step(gained: gained + other.gained, seconds: seconds + other.seconds, lag: [lag, other.lag].max())
        }
    }

    private struct Look: Hashable, Sendable {
        let time: Timestamp
        let records: UInt64
        let items: UInt64?

        func gain(since other: Look) -> UInt64 {
            let read = records > other.records ? records - other.records : 0
            // Of two looks during one scan; the end of a scan takes nothing away, and another one begins anew.
            let scanned = items.flatMap { items in other.items.map { items > $0 ? items - $0 : 0 } } ?? 0
            return read + scanned
        }
    }

    /// Oldest first; the last one may still grow.
    private(set) var steps: [Step] = []
    private var looksAStep = 1
    private var looksOfLast = 0
    /// The newest looks, as far as the rate reaches back.
    private var recent: [Look] = []

    /// What the rate is of.
    private static let stretch: Duration = .seconds(10)

    mutating func add(_ status: TableStatus) {
        let look = Look(time: status.now, records: status.records, items: status.scan?.items)
        defer { recent.append(look) }
        guard let last = recent.last else { return }
        guard look.time > last.time else {
            // The clock was set back: what was measured against it is worth nothing.
            if look.time < last.time { recent = [] } else { recent.removeLast() }
            return
        }
        recent.removeAll { look.time - $0.time > Self.stretch && $0 != last }
        let step = Step(
            gained: look.gain(since: last), seconds: Double((look.time - last.time).milliseconds) / 1000,
            lag: status.lag)
        if looksOfLast < looksAStep, let open = steps.popLast() {
            steps.append(open.joined(by: step))
            looksOfLast += 1
            return
        }
        if steps.count == Self.capacity {
            steps = stride(from: 0, to: steps.count, by: 2).map { steps[$0].joined(by: steps[$0 + 1]) }
            looksAStep *= 2
        }
        steps.append(step)
        looksOfLast = 1
    }

    /// Records a second of late; `nil` before there are two looks.
    var rate: Double? {
        guard let first = recent.first, let last = recent.last, last.time > first.time else { return nil }
        var gained: UInt64 = 0
        for (before, after) in zip(recent, recent.dropFirst()) { gained += after.gain(since: before) }
        return Double(gained) * 1000 / Double(max(1, (last.time - first.time).milliseconds))
    }
}

extension [Duration?] {
    fileprivate func max() -> Duration? { compactMap(\.self).max() }
}

extension Spoken {
    /// `0/s`, `1.5/s`, `12,345/s`.
    static func rate(_ perSecond: Double?) -> String {
        guard let perSecond, perSecond.isFinite else { return "-" }
        let tenths = UInt64((Swift.max(0, Swift.min(perSecond, 1e15)) * 10).rounded())
        guard tenths > 0, tenths < 100, tenths % 10 != 0 else { return "\(count((tenths + 5) / 10))/s" }
        return "\(tenths / 10).\(tenths % 10)/s"
    }
}
