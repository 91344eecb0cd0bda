internal import StreamModel

/// What makes a journal's appends durable.
protocol Appending: Sendable {
    /// Returns when `drafts` are durable, in one transaction.
    func append(_ drafts: [Draft]) async throws(JournalError) -> [Receipt]

    /// Which shards and tables other processes have appended to since the last time.
    func foreignAppends() async throws(JournalError) -> Set<Subject>

    /// Everything that was asked for before is durable when this returns, and nothing is afterwards.
    func end() async
}
