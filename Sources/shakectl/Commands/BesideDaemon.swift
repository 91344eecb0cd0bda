internal import Journal

/// Runs what reads the journal, decides and appends; anew where the daemon appended to the same shard between.
///
/// - Throws: what `body` throws, the journal's errors as this program's.
func besideDaemon<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
    // A daemon appends to a busy shard some hundred times a second; to lose this often means something else.
    var left = 20
    while true {
        do {
            return try await body()
        } catch let error as JournalError {
            left -= 1
            guard error.mayBeOfAnOldPlan, left > 0 else { throw ShakectlError.journal(error) }
        }
    }
}

extension JournalError {
    /// The daemon may have changed the shard since it was read, or have taken up a child of it.
    fileprivate var mayBeOfAnOldPlan: Bool {
        switch self {
        case .conflict, .superseded, .refused: true
        default: false
        }
    }
}
