/// The items of a table, in the order in which a scan meets them.
struct ItemStore: Sendable {
    /// By the upper bits of the placement, each in order: an insertion moves a bucket's keys and no more.
    private var buckets: [[ItemKey]] = Array(repeating: [], count: 1 << bits)
    private var items: [ItemKey: Attributes] = [:]
    /// In bytes, by the service's rule.
    private(set) var size = 0

    private static let bits = 8

    var count: Int { items.count }

    subscript(key: ItemKey) -> Attributes? {
        get { items[key] }
        set {
            let bucket = Int(key.placement >> (64 - UInt64(Self.bits)))
            let before = items.updateValue(or: newValue, for: key)
            size += (newValue?.size ?? 0) - (before?.size ?? 0)
            switch (before, newValue) {
            case (nil, .some): buckets[bucket].insert(key, at: Self.place(of: key, in: buckets[bucket]))
            case (.some, nil): buckets[bucket].remove(at: Self.place(of: key, in: buckets[bucket]))
            case (nil, nil), (.some, .some): break
            }
        }
    }

    var all: [Attributes] { buckets.lazy.joined().compactMap { items[$0] } }
    var keys: [ItemKey] { Array(buckets.lazy.joined()) }

    /// At most `limit` keys of a range of placements, from the one after `start` on.
    func keys(in placements: ClosedRange<UInt64>, after start: ItemKey?, limit: Int) -> [ItemKey] {
        var found: [ItemKey] = []
        let first = max(placements.lowerBound, start?.placement ?? 0)
        guard first <= placements.upperBound else { return [] }
        let shift = 64 - UInt64(Self.bits)
        for bucket in Int(first >> shift)...Int(placements.upperBound >> shift) {
            let keys = buckets[bucket]
            // What lies before the start, or outside of the range, is passed over by halving.
            var place = start.map { Self.place(of: $0, in: keys) } ?? 0
            if let start, place < keys.count, keys[place] == start { place += 1 }
            while place < keys.count, found.count < limit {
                let key = keys[place]
                place += 1
                if key.placement < placements.lowerBound { continue }
                if key.placement > placements.upperBound { return found }
                found.append(key)
            }
            if found.count == limit { break }
        }
        return found
    }

    /// Where a key is, or would be.
    private static func place(of key: ItemKey, in keys: [ItemKey]) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Dictionary {
    /// - Returns: what was there before.
    fileprivate mutating func updateValue(or value: Value?, for key: Key) -> Value? {
        guard let value else { return removeValue(forKey: key) }
        return updateValue(value, forKey: key)
    }
}
