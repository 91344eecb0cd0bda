internal import LMDB
internal import StreamModel
internal import Synchronization

/// Finds a shard's ordinal by its name: some bytes a shard, where a dictionary of names would take hundreds.
///
/// Names are given once and never taken back, so what was read of them in one snapshot holds in every later one.
final class NameIndex: Sendable {
    /// Open addressing: where a hash leads to, and on from there, lie ordinals whose names may have it.
    private struct Slots {
        private struct Slot {
            var ordinal: UInt32 = 0
            var hash: UInt32 = 0
        }

        private var slots = [Slot](repeating: Slot(), count: 64)
        private(set) var count: UInt32 = 0

        mutating func append(_ hash: UInt32) {
            if (Int(count) + 1) * 4 > slots.count * 3 {
                let before = slots
                slots = [Slot](repeating: Slot(), count: before.count * 2)
                for slot in before where slot.ordinal > 0 { insert(slot) }
            }
            count += 1
            insert(Slot(ordinal: count, hash: hash))
        }

        private mutating func insert(_ slot: Slot) {
            var index = Int(slot.hash) & (slots.count - 1)
            while slots[index].ordinal > 0 { index = (index + 1) & (slots.count - 1) }
            slots[index] = slot
        }

        func candidates(_ hash: UInt32) -> [UInt32] {
            var found: [UInt32] = []
            var index = Int(hash) & (slots.count - 1)
            // A quarter of them is free.
            while slots[index].ordinal > 0 {
                if slots[index].hash == hash { found.append(slots[index].ordinal) }
                index = (index + 1) & (slots.count - 1)
            }
            return found
        }
    }

    private let slots = Mutex(Slots())

    func ordinal(
        of shard: ShardKey, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> UInt32? {
        // The count stands in a page that may be damaged.
        let known = UInt32(clamping: try store.count(of: store.schema.shards, transaction))
        let next = slots.withLock { $0.count } + 1
        if next <= known {
            var hashes: [UInt32] = []
            try transaction.forEach(in: store.schema.shards, from: Schema.key(shard: next)) {
                (key, value) throws(JournalError) in
                let key = [UInt8](key)
                guard Schema.ordinal(key) == next + UInt32(hashes.count),
                    let bytes = Sealed.open([UInt8](value), under: key), let name = WireFormat.decodeShard(bytes)
                else {
                    throw store.damaged(nil, "the name of shard number \(Int(next) + hashes.count) can't be read")
                }
                hashes.append(Self.hash(name))
                return true
            }
            slots.withLock { slots in
                // Another may have come as far meanwhile.
                for hash in hashes.dropFirst(Int(slots.count + 1 - next)) { slots.append(hash) }
            }
        }
        for ordinal in slots.withLock({ $0.candidates(Self.hash(shard)) }) where ordinal <= known {
            if try store.name(of: ordinal, transaction) == shard { return ordinal }
        }
        return nil
    }

    private static func hash(_ shard: ShardKey) -> UInt32 { UInt32(truncatingIfNeeded: shard.hashValue) }
}
