/// A cursor into a shard, that says all of itself: the service keeps none.
struct Iterator: Hashable, Sendable {
    let table: Int
    let shard: Int
    let place: Int
    let generation: Int
    let issued: Int64

    init(_ table: Int, _ shard: Int, _ place: Int, _ generation: Int, issued: Int64) {
        self.table = table
        self.shard = shard
        self.place = place
        self.generation = generation
        self.issued = issued
    }

    init?(_ token: String) {
        let parts = token.split(separator: "|").compactMap { Int64($0) }
        guard parts.count == 5, parts[2] >= 0 else { return nil }
        self.init(Int(parts[0]), Int(parts[1]), Int(parts[2]), Int(parts[3]), issued: parts[4])
    }

    var token: String { "\(table)|\(shard)|\(place)|\(generation)|\(issued)" }
}
