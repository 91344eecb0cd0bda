/// Who waits for an append, to be answered once.
///
/// A checked continuation would cost half a microsecond an append, made on one core and freed on another.
@safe struct Answer: @unchecked Sendable {
    // Safe: an append is either put into the writer's queue or refused at once, and what is in the queue is answered by the
    // one thread that takes it out, which forgets it with that (`JournalWriter.Batch.answer`). Sendable: it is made to be.
    private let continuation: UnsafeContinuation<Result<[Receipt], JournalError>, Never>

    init(_ continuation: UnsafeContinuation<Result<[Receipt], JournalError>, Never>) {
        unsafe self.continuation = continuation
    }

    func give(_ result: Result<[Receipt], JournalError>) { unsafe continuation.resume(returning: result) }
}
