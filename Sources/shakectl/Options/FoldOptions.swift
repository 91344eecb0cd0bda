internal import ArgumentParser

/// When old events of the journal are folded, for the daemon and for `compact`.
struct FoldOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            "Fold advances together that are older than that (default: 48h; the stream keeps 24h).",
            valueName: "duration"))
    var foldAfter: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Of each shard one advance stays in each such part of the time (default: 1h).", valueName: "duration"))
    var foldResolution: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Fold all that is ordinary and older than that of shards that are over (default: 7d).",
            valueName: "duration"))
    var foldHistory: String?

    /// - Throws: `.usage`.
    func add(to settings: inout Settings) throws(ShakectlError) {
        try settings.take(foldAfter, for: .foldAge)
        try settings.take(foldResolution, for: .foldResolution)
        try settings.take(foldHistory, for: .foldHistoryAge)
    }
}
