internal import Filter
internal import StreamModel

/// What a table's filter leaves of what its stream brings, so that the target holds an item exactly where the item matches.
///
/// A change after which the item matches passes as it is. Any other is a delete of its key: the target may hold the item as
/// it was. Where the item didn't match before either, the target doesn't hold it, and there is nothing to write.
///
/// Beside a scan, too. Say that a row is scanned that matches, and that a change is left out here, before and after which
/// the item doesn't match. If the change is the later of the two, another made the item leave the filter in between, and so
/// after the stream was anchored: it comes first, as a delete, and its key is touched. If the row is the later one, another
/// change made the item enter the filter in between, and passes. But a scan that doesn't read consistently may bring a row
/// of before the anchor, and where a loss was skipped the change that made an item leave may be lost: then every change that
/// doesn't match is a delete.
struct StreamFilter: Sendable {
    private let filter: ItemFilter
    private let keepsDeletes: Bool

    /// `nil` where all items are copied.
    ///
    /// - Parameter knowsRows: whether what the target holds of an item follows from the changes that came.
    init?(_ filter: ItemFilter?, knowsRows: Bool) {
        guard let filter else { return nil }
        self.filter = filter
        keepsDeletes = !knowsRows
    }

    func pass(_ changes: [Change], in body: [UInt8]) -> [Change] { changes.compactMap { pass($0, in: body) } }

    /// `nil` for what changes nothing in the target.
    private func pass(_ change: Change, in body: [UInt8]) -> Change? {
        switch change.kind {
        case .insert, .modify:
            // A stream without new images is refused elsewhere, and that says why.
            guard let image = change.newImage, !filter.matches(body, image.range) else { return change }
        case .remove: break
        case .snapshot: return change
        }
        if !keepsDeletes, wasWithout(change, in: body) { return nil }
        return Change(
            kind: .remove, sequenceNumber: change.sequenceNumber, approximateTime: change.approximateTime,
            keys: change.keys, newImage: nil, oldImage: change.oldImage)
    }

    /// Whether the item is known not to have matched before. Not every stream has old images.
    private func wasWithout(_ change: Change, in body: [UInt8]) -> Bool {
        guard change.kind != .insert else { return true }
        guard let image = change.oldImage else { return false }
        return !filter.matches(body, image.range)
    }
}
