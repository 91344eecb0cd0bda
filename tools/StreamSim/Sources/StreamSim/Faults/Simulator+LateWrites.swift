/// Writes that a caller gave up, and that are done nevertheless: perhaps after a newer one of the same item.
extension Simulator {
    /// The calls that can be late.
    package static let writeActions: Set<Text> = [
        "PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems",
    ]

    /// How many writes are still to take effect.
    package var lateWriteCount: Int { lateWrites.count }

    /// The oldest `count` of them take effect now, in the order in which they came; all, where no count is given.
    ///
    /// - Returns: how many it were.
    @discardableResult
    package mutating func releaseLateWrites(_ count: Int? = nil, at time: Int64) -> Int {
        advance(to: time)
        return releaseLateWrites(count)
    }

    @discardableResult
    mutating func releaseLateWrites(_ count: Int?) -> Int {
        let released = Array(lateWrites.prefix(count ?? .max))
        lateWrites.removeFirst(released.count)
        for write in released { takeEffect(write) }
        return released.count
    }

    /// Time goes on until then, and what is due takes effect: before the truth is asked for.
    package mutating func settle(at time: Int64) { advance(to: time) }

    /// The earliest of those that are due by `time`; of two, the one that came first.
    mutating func nextLateWrite(by time: Int64) -> LateWrite? {
        var found: (index: Int, due: Int64)?
        for (index, write) in lateWrites.enumerated() {
            guard let due = write.time, due <= time, due < found?.due ?? .max else { continue }
            found = (index, due)
        }
        return found.map { lateWrites.remove(at: $0.index) }
    }

    /// A write that came after them was done.
    mutating func noteWrite() {
        var due: [LateWrite] = []
        var waiting: [LateWrite] = []
        for var write in lateWrites {
            guard case .writes(let count) = write.due else {
                waiting.append(write)
                continue
            }
            write.due = .writes(count - 1)
            if count <= 1 { due.append(write) } else { waiting.append(write) }
        }
        lateWrites = waiting
        for write in due { takeEffect(write) }
    }
}
