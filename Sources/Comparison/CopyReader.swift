internal import DynamoDB
internal import Filter
internal import Simdjson
package import StreamModel
package import Targets

/// Reads both copies of some items, by their keys.
struct CopyReader: Sendable {
    let table: TableSchema
    let source: any ComparedSource
    let target: any Target
    let filter: ItemFilter?
    let pace: Pace

    /// As BatchGetItem takes them (API Reference).
    static let keysAtOnce = 100

    /// What the source has under some keys, read consistently: each with the body that it lies in.
    func source(_ keys: [CanonicalKey]) async throws -> [CanonicalKey: SourceItem] {
        var found: [CanonicalKey: SourceItem] = [:]
        var rest = keys[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.keysAtOnce)
            rest = rest.dropFirst(some.count)
            let pages = try await pace.paced {
                let pages = try await asking { () throws(DynamoDBError) in
                    try await source.items(under: some.map { $0.object(of: table) }, of: table.name, consistent: true)
                }
                return (pages, cost: pages.compactMap(\.capacityUnits).reduce(0, +))
            }
            for page in pages { try read(page) { found[$0] = $1 } }
        }
        return found
    }

    /// Each item of a page that is wanted, with its key.
    func read(_ page: ScanPage, _ each: (CanonicalKey, SourceItem) -> Void) throws {
        var keys = KeyReader(table)
        for change in page.changes {
            guard let image = change.newImage, filter?.matches(page.body, image.range) != false else { continue }
            do {
                each(
                    try CanonicalKey(keys.key(in: change.keys, of: page.body)),
                    SourceItem(body: page.body, place: image))
            } catch {
                throw ComparisonError.source(
                    .badReply(operation: "Scan", object: "table \(table.name)", why: "\(error)"))
            }
        }
    }

    /// What the target has under `keys`, in their order.
    func target(_ keys: [CanonicalKey]) async throws -> [[UInt8]?] {
        let items = try await retrying { () throws(TargetError) in try await target.items(under: keys, of: table) }
        guard let items else { throw ComparisonError.keepsNoState(target: target.name) }
        return items
    }

    /// Both, decoded: the target's first, then the source's, as `Suspect` wants them.
    func both(
        _ keys: [CanonicalKey], _ items: inout ItemReader
    ) async throws -> [(source: Item?, target: Item?)] {
        let held = try await target(keys)
        let found = try await source(keys)
        return try zip(keys, held).map { key, held in
            (try found[key].map { try decoded($0, &items) }, try held.map { try decodedTarget($0, key, &items) })
        }
    }

    /// As the target would keep it.
    func decoded(_ item: SourceItem, _ items: inout ItemReader) throws -> Item {
        do throws(SimdjsonError) { return target.kept(try items.item(item.place, of: item.body)) } catch {
            throw ComparisonError.source(
                .badReply(operation: "Scan", object: "table \(table.name)", why: "\(error)"))
        }
    }

    func decodedTarget(_ bytes: [UInt8], _ key: CanonicalKey, _ items: inout ItemReader) throws -> Item {
        do throws(SimdjsonError) {
            return try items.item(bytes)
        } catch {
            throw ComparisonError.target(
                .unwritable(
                    target: target.name, what: "the row of \(table.name) under \(key.words(of: table))",
                    reason: "what is there is no item of DynamoDB (\(error)): was it edited by hand?"))
        }
    }

    /// Tried again while the target is out of reach.
    func retrying<R>(_ body: () async throws(TargetError) -> R) async throws -> R {
        try await pace.retrying(body)
    }
}

/// An item as it arrived.
struct SourceItem: Sendable {
    let body: [UInt8]
    let place: ByteRange

    var bytes: ArraySlice<UInt8> { body[place.range] }
}

func asking<R>(_ question: () async throws(DynamoDBError) -> R) async throws -> R {
    do throws(DynamoDBError) { return try await question() } catch {
        if error.isCancelled { throw CancellationError() }
        throw ComparisonError.source(error)
    }
}

extension CanonicalKey {
    /// As DynamoDB writes it.
    package func words(of table: TableSchema) -> String { String(decoding: object(of: table), as: UTF8.self) }
}
