/// Reads NimoShake's checkpoints of `checkpoint.type = mongodb`: one collection a table, named like it, and the status table.
package enum NimoShakeDatabase {
    /// Where NimoShake keeps them unless its `checkpoint.db` or `id` say otherwise.
    package static let standard = "nimo-shake-checkpoint"

    /// - Throws: `.database`, `.nothingThere`, `.noDatabaseRead`.
    package static func read(_ url: String, database: String?) throws(NimoShakeError) -> NimoShakeCheckpoints {
        throw .noDatabaseRead
    }
}
