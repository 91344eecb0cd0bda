internal import StreamModel

extension Batch {
    /// Without a new image there is nothing to store, and a re-read of the source could see a later state.
    ///
    /// - Throws: `.unwritable` for the first change that has none, with how the stream must be made.
    package func checkImages(of rows: [Collapse.Row], target: String) throws(TargetError) {
        for row in rows where row.change.kind != .remove && row.change.newImage == nil {
            let viewType = row.change.oldImage == nil ? "KEYS_ONLY" : "OLD_IMAGE"
            throw .unwritable(
                target: target, what: describe(row.change),
                reason: "it has no new image: the stream of \(table.name) has the view type \(viewType), and this"
                    + " target needs NEW_IMAGE or NEW_AND_OLD_IMAGES; make the stream again with one of those",
                change: row.change)
        }
    }
}
