internal import Journal
internal import StreamModel

extension RangeLost {
    /// What its table enters where it is scanned again for what it has lost. It goes into the append that declares the loss.
    ///
    /// - Parameters:
    ///   - shard: whose records are lost; `nil`: the whole stream's.
    ///   - state: of the table.
    func fullSync(of shard: ShardID?, after state: TableState?) -> PhaseChanged {
        PhaseChanged(
            from: state?.phase, to: .fullSync, stream: state?.stream,
            reason: "\(shard.map { "shard \($0)" } ?? "the stream") has lost records (\(cause.rawValue))")
    }

    /// The detail of a loss by which a table has another stream.
    static func replaced(_ before: StreamARN, by stream: StreamARN) -> String {
        "it has the stream \(stream), and the journal knows \(before): the table was made anew, or its stream was switched off "
            + "and on"
    }
}
