package import StreamModel
internal import Synchronization

/// Asks one place after the other, and keeps what it found until that is refused or about to expire. It knows how,
/// `CredentialsMachine` whether.
///
/// From then on it asks the place that gave them and no other (as botocore does): the next one may be somebody else, with other
/// rights or in another account, and a place that fails for a moment would hand the daemon over to it unseen.
package final class CredentialsChain: Sendable {
    /// Told of each look-up that failed beside credentials that are still good, and when the next one is made.
    typealias FailureObserver = @Sendable (DynamoDBError, Duration) -> Void

    private struct State {
        var machine = CredentialsMachine()
        /// What gave those that were found; it alone is asked for others.
        var pinned: (any CredentialsProvider)?
        var waiting: [Int: Waiter] = [:]
        var asked = 0
    }

    private typealias Waiter = CheckedContinuation<Result<Credentials, DynamoDBError>?, Never>

    private let providers: [any CredentialsProvider]
    private let surroundings: Surroundings
    private let onFailure: FailureObserver
    private let state = Mutex(State())
    /// By which credentials expire, and requests with them are signed.
    let clock: ServiceClock

    package convenience init(_ providers: [any CredentialsProvider], surroundings: Surroundings = Surroundings()) {
        self.init(providers, clock: ServiceClock(surroundings), surroundings: surroundings)
    }

    init(
        _ providers: [any CredentialsProvider], clock: ServiceClock, surroundings: Surroundings,
        onFailure: @escaping FailureObserver = { _, _ in }
    ) {
        self.providers = providers
        self.clock = clock
        self.surroundings = surroundings
        self.onFailure = onFailure
    }

    /// Where those that were found last come from; `nil` before any were.
    var place: String? { state.withLock { $0.pinned }?.name }

    /// - Parameter refused: the credentials that the service has just refused; they are looked up anew, unless that has
    ///   happened since.
    func credentials(insteadOf refused: Credentials? = nil) async throws(DynamoDBError) -> Credentials {
        while true {
            let now = clock.now()
            let result: Result<Credentials, DynamoDBError>?
            switch state.withLock({ $0.machine.wanted(insteadOf: refused, at: now) }) {
            case .use(let credentials): return credentials
            case .useAndLook(let credentials):
                look(refreshing: true)
                return credentials
            case .look: result = await answer { self.look(refreshing: refused != nil) }
            case .wait: result = await answer()
            case .fail(let error): throw error
            }
            switch result {
            case .success(let credentials)?: return credentials
            case .failure(let error)?:
                // Those that are still good will do until the next time.
                let good = state.withLock { $0.machine.good(insteadOf: refused, at: clock.now()) }
                guard let good, !error.isCancelled else { throw error }
                return good
            case nil: continue
            }
        }
    }

    /// Waits for the look-up under way; a task that is cancelled waits no longer, and the others go on.
    ///
    /// - Parameter begin: begins it, once nobody can miss its end.
    /// - Returns: `nil` where it has ended meanwhile.
    private func answer(_ begin: (() -> Void)? = nil) async -> Result<Credentials, DynamoDBError>? {
        let ticket = state.withLock { state in
            state.asked += 1
            return state.asked
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let (isCancelled, hasEnded) = state.withLock { state in
                    let isCancelled = Task.isCancelled
                    if !isCancelled, state.machine.isLooking { state.waiting[ticket] = waiter }
                    return (isCancelled, !state.machine.isLooking)
                }
                begin?()
                if isCancelled {
                    waiter.resume(returning: .failure(.cancelled))
                } else if hasEnded {
                    waiter.resume(returning: nil)
                }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: .failure(.cancelled))
        }
    }

    /// A task of its own, since who asked may be cancelled while others wait for the answer.
    private func look(refreshing: Bool) {
        Task(executorPreference: surroundings.executor) { [self] in
            let result: Result<Credentials, DynamoDBError>
            var isStable = false
            var provider: (any CredentialsProvider)?
            do throws(DynamoDBError) {
                let found = try await find(refreshing: refreshing)
                (isStable, provider) = (found.provider.outlivesExpiration, found.provider)
                result = .success(found.credentials)
            } catch { result = .failure(error) }
            let now = clock.now()
            // Of what doesn't expire nothing is left to chance.
            let random = (try? result.get()).map { $0.expiration == nil } == true ? 0 : surroundings.random()
            let (waiting, failure) = state.withLock { [provider, isStable] state -> ([Waiter], (DynamoDBError, Duration)?) in
                defer { state.waiting = [:] }
                switch result {
                case .success(let credentials):
                    state.pinned = provider
                    state.machine.found(credentials, outlivesExpiration: isStable, at: now, random: random)
                    return (Array(state.waiting.values), nil)
                case .failure(let error):
                    return (Array(state.waiting.values), (error, state.machine.failed(error, at: now, random: random)))
                }
            }
            let isGood = state.withLock { $0.machine.good(insteadOf: nil, at: now) } != nil
            if isGood, let (error, pause) = failure, !error.isCancelled { onFailure(error, pause) }
            for waiter in waiting { waiter.resume(returning: result) }
        }
    }

    private func find(
        refreshing: Bool
    ) async throws(DynamoDBError) -> (credentials: Credentials, provider: any CredentialsProvider) {
        if let pinned = state.withLock({ $0.pinned }) {
            return (try await renewed(by: pinned, refreshing: refreshing), pinned)
        }
        var nothing: [String] = []
        var mayPass = false
        for provider in providers {
            switch try await provider.credentials(refreshing: refreshing) {
            case .found(let credentials): return (credentials, provider)
            case .nothing(let why, let passes):
                nothing.append("\(provider.name): \(why)")
                mayPass = mayPass || passes
            }
        }
        let text = """
            no AWS credentials: \(nothing.joined(separator: "; ")): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a \
            profile that has some, or give this machine a role. (An emulator takes any: AWS_ACCESS_KEY_ID=local \
            AWS_SECRET_ACCESS_KEY=local)
            """
        throw mayPass ? .credentialsUnavailable(text) : .credentials(text)
    }

    /// - Throws: what may pass: what was set up well enough once may be again.
    private func renewed(
        by provider: any CredentialsProvider, refreshing: Bool
    ) async throws(DynamoDBError) -> Credentials {
        let trouble: String
        do throws(DynamoDBError) {
            switch try await provider.credentials(refreshing: refreshing) {
            case .found(let credentials): return credentials
            case .nothing(let why, _): trouble = why
            }
        } catch {
            guard !error.isCancelled else { throw error }
            trouble = "\(error)"
        }
        let name = trouble.hasPrefix(provider.name) ? "" : "\(provider.name): "
        throw .credentialsUnavailable(
            """
            no newer AWS credentials: \(name)\(trouble). The first ones came from there, and nowhere else is asked: mend that, or \
            start again to have all places asked
            """)
    }
}
