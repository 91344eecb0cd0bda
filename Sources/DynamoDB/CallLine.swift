internal import StreamModel
internal import Synchronization

/// Where calls of one operation wait until they may be made, in the order in which they came.
final class CallLine: Sendable {
    private let bucket: Mutex<TokenBucket>
    private let surroundings: Surroundings

    init(perSecond rate: Int, _ surroundings: Surroundings) {
        bucket = Mutex(TokenBucket(perSecond: rate))
        self.surroundings = surroundings
    }

    /// Who is cancelled meanwhile leaves its place empty.
    func pass() async throws(DynamoDBError) {
        let wait = bucket.withLock { $0.reserve(at: surroundings.uptime()) }
        guard wait > .zero else { return }
        do { try await surroundings.sleep(for: wait) } catch { throw .cancelled }
    }
}
