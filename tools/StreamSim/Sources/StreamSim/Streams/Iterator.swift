/// A cursor into a shard, that says all of itself: the service keeps none.
struct Iterator: Hashable, Sendable {
    /// The ordinal of the stream among all.
    let stream: Int
    let shard: Text
    let place: Int
    let generation: Int
    let issued: Int64

    init(_ stream: Int, _ shard: Text, _ place: Int, _ generation: Int, issued: Int64) {
        self.stream = stream
        self.shard = shard
        self.place = place
        self.generation = generation
        self.issued = issued
    }

    init?(_ token: Text) {
        let parts = token.bytes.split(separator: UInt8(ascii: "|")).map { Text(utf8: Array($0)) }
        guard parts.count == 5, let stream = Self.number(parts[0]), let shard = parts[1],
            let place = Self.number(parts[2]), let generation = Self.number(parts[3]),
            let issued = Self.number(parts[4])
        else { return nil }
        self.init(stream, shard, place, generation, issued: Int64(issued))
    }

    private static func number(_ text: Text?) -> Int? {
        text.flatMap { Int($0.string) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    var token: Text { Text("\(stream)|\(shard.string)|\(place)|\(generation)|\(issued)") }
}
