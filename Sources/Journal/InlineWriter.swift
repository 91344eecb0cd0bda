internal import StreamModel
internal import Synchronization

/// Appends where it is asked to, each append in a transaction of its own: nothing depends on which thread comes first.
final class InlineWriter: Appending {
    /// `nil` once it has ended.
    private let thread: Mutex<WriterThread?>
    private let path: String

    init(store: Store, _ thread: WriterThread) {
        path = store.path
        self.thread = Mutex(thread)
    }

    func append(_ drafts: [Draft]) async throws(JournalError) -> [Receipt] {
        try await unsafe withUnsafeContinuation { continuation in
            var batch = JournalWriter.Batch()
            batch.requests = [JournalWriter.Request(drafts: drafts, answer: unsafe Answer(continuation))]
            thread.withLock { thread in
                if thread == nil { batch.results = [.failure(.closed(path: path))] }
                thread?.append(&batch) { _ in false }
            }
            batch.answer()
        }.get()
    }

    func foreignAppends() async throws(JournalError) -> Set<Subject> {
        try thread.withLock { $0?.foreignAppends() ?? .success([]) }.get()
    }

    func end() async { thread.withLock { $0 = nil } }
}
