package import StreamModel
package import Targets

/// A target that keeps what it is given on the world's disk, and fails as real ones do.
package struct ModelTarget: Target {
    /// What a target may promise of itself (DESIGN 4.5).
    package enum Kind: String, CaseIterable, Sendable {
        /// Data and positions in one transaction, as SQLite.
        case transactional
        /// An append-only file that is cut back to the last journaled token, as JSON Lines.
        case file
        /// Writes that may be repeated, and nothing else: a batch can be written in part.
        case plain
    }

    private let kind: Kind
    private let life: Life
    private let world: World

    package init(_ kind: Kind, _ life: Life, _ world: World) {
        self.kind = kind
        self.life = life
        self.world = world
    }

    package var name: String { "model:\(kind.rawValue)" }
    package var storesPositions: Bool { kind == .transactional }
    package func takesOver(from earlier: String) -> Bool { kind != .plain }

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        guard kind == .file else { return }
        let furthest = tokens.compactMap { Int($0.text) }.max() ?? 0
        let found = world.disk { $0.log.count }
        guard furthest <= found else {
            throw .misconfigured(target: name, reason: "it has \(found) batches, and the journal says \(furthest)")
        }
        world.disk { $0.cut(to: furthest) }
        if furthest < found { world.note("target: cut back") }
    }

    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        Place(object: "", contents: world.disk { $0.tables.contains(table.name) } ? .filled : .missing)
    }

    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool {
        world.disk { $0.tables.contains(table) }
    }

    package func prepare(_ table: TableSchema) async throws(TargetError) {
        guard await life.step(.preparing) else { throw dead }
        world.disk { _ = $0.tables.insert(table.name) }
    }

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] {
        guard storesPositions else { return [] }
        return world.disk { disk in
            disk.positions.keys.filter { $0.table == table }.sorted().compactMap { disk.positions[$0] }
        }
    }

    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] {
        guard storesPositions else { return [] }
        return world.disk { disk in
            (disk.scanPositions[table] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// How many it lists at a time, so that much happens between two pages.
    private static let pageSize = 3

    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        guard world.listsRows else { return nil }
        guard life.isAlive else { throw dead }
        if case .unavailable? = world.targetTrouble(kind) {
            world.note("target: does not list its rows")
            throw .unavailable(target: name, reason: "simulated")
        }
        return world.disk { $0.keys(of: table.name, after: key, limit: min(limit, Self.pageSize)) }
    }

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        guard await life.step(.writing) else { throw dead }
        for batch in batches { try check(batch) }
        let trouble = world.targetTrouble(kind)
        if let trouble { world.note("target: \(trouble.name)") }
        switch trouble {
        case .unavailable: throw .unavailable(target: name, reason: "simulated")
        case .partial(let share):
            try apply(batches, upTo: Int(Double(batches.reduce(0) { $0 + $1.count }) * share))
            throw .unavailable(target: name, reason: "simulated, after a part was written")
        case .hang(let duration), .slow(let duration):
            try? await world.conductor.sleep(until: world.conductor.now + duration)
        case .lostAnswer, nil: break
        }
        guard life.isAlive else { throw dead }
        let tokens = try apply(batches)
        if case .lostAnswer = trouble { throw .unavailable(target: name, reason: "simulated, after it was written") }
        guard await life.step(.written) else { throw dead }
        return tokens
    }

    package func close() async {}

    /// - Throws: `.unwritable` for the first change that the target can't hold for what it is.
    private func check(_ batch: Batch) throws(TargetError) {
        for part in batch.parts {
            for change in part.changes {
                guard let image = change.kind == .snapshot ? change.keys : change.newImage,
                    world.isPoison(part.body[image.range])
                else { continue }
                var origin: Disk.Origin?
                if case .shard(let shard, _, _) = batch.origin, let number = change.sequenceNumber {
                    origin = Disk.Origin(shard: shard, number: number)
                }
                guard let item = world.itemID(of: Array(part.body[change.keys.range]), batch.table) else { continue }
                world.refuse(origin, item)
                throw .unwritable(
                    target: name, what: change.sequenceNumber?.text ?? "a row", reason: "simulated: it is poison",
                    change: change)
            }
        }
    }

    /// - Parameter count: how many changes are written, of all batches together.
    @discardableResult
    private func apply(_ batches: [Batch], upTo count: Int = .max) throws(TargetError) -> [TargetToken?] {
        var left = count
        var tokens: [TargetToken?] = []
        for batch in batches {
            do {
                let entry = try Disk.Entry(batch, first: left)
                left -= entry.changes.count
                world.write(entry)
            } catch {
                throw .unwritable(target: name, what: "a batch", reason: "\(error)")
            }
            tokens.append(kind == .file ? TargetToken("\(world.disk { $0.log.count })") : nil)
        }
        return tokens
    }

    private var dead: TargetError { .broken(target: name, reason: "the process was killed") }
}
