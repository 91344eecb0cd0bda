/// What a listing shows of a stream's shards: all of them, or what it makes of them while it is behind (FACTS 1.5).
struct Listing: Sendable {
    struct Entry: Sendable {
        let shard: Shard
        let isShownClosed: Bool
        /// Pages follow one another by it.
        let place: (mixed: UInt64, made: Int)

        var json: JSON {
            var range: [JSON.Member] = [JSON.Member("StartingSequenceNumber", .string(shard.starting))]
            if isShownClosed, let ending = shard.ending {
                range.append(JSON.Member("EndingSequenceNumber", .string(ending)))
            }
            var members: [JSON.Member] = [
                JSON.Member("ShardId", .string(shard.id)), JSON.Member("SequenceNumberRange", .object(range)),
            ]
            if let parent = shard.parent { members.append(JSON.Member("ParentShardId", .string(parent))) }
            return .object(members)
        }
    }

    private(set) var shards: [Entry] = []
    private(set) var peculiarities: [String] = []

    /// How long ago a shard was closed at most, for a listing to contradict itself about it.
    private static let young: Int64 = 60_000_000

    init(of stream: Stream, _ settings: Settings, at now: Int64, _ chance: inout Chance) {
        let horizon = now - settings.retention
        let known = now - settings.listingLag
        let contradicts = chance.percent(settings.contradictoryListings)
        let hidesChildren = contradicts && chance.percent(50)
        var (hasGone, isLate, isContradictory) = (false, false, false)
        for shard in stream.shards {
            guard let place = stream.place(of: shard.id, isShuffled: settings.shuffledListings) else { continue }
            if shard.isGone(at: horizon) {
                hasGone = true
                continue
            }
            // What a stream begins with is there from its beginning.
            if shard.made > known, shard.parent != nil {
                isLate = true
                continue
            }
            let isYoung = now - shard.made < Self.young && shard.parent != nil
            if hidesChildren, isYoung {
                isContradictory = true
                continue
            }
            let closed = shard.closed.map { $0 <= known } ?? false
            let seemsOpen = contradicts && !hidesChildren && (shard.closed.map { now - $0 < Self.young } ?? false)
            if closed, seemsOpen { isContradictory = true }
            shards.append(Entry(shard: shard, isShownClosed: closed && !seemsOpen, place: place))
        }
        if settings.shuffledListings { shards.sort { $0.place < $1.place } }
        if hasGone { peculiarities.append("a shard has aged out") }
        if isLate { peculiarities.append("a shard is not listed yet") }
        if isContradictory {
            peculiarities.append(
                hidesChildren
                    ? "a parent is closed, and its children are missing" : "a parent is open beside its children")
        }
    }
}
