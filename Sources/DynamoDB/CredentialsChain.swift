package import StreamModel
internal import Synchronization

/// Asks one place after the other, and keeps what it found until that is refused or about to expire. It knows how,
/// `CredentialsMachine` whether.
package final class CredentialsChain: Sendable {
    /// Told of each look-up that failed beside credentials that are still good, and when the next one is made.
    typealias FailureObserver = @Sendable (DynamoDBError, Duration) -> Void

    private struct State {
        var machine = CredentialsMachine()
        var place: String?
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
    var place: String? { state.withLock { $0.place } }

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
            var place: String?
            do throws(DynamoDBError) {
                let (credentials, provider) = try await find(refreshing: refreshing)
                (isStable, place) = (provider.outlivesExpiration, provider.name)
                result = .success(credentials)
            } catch { result = .failure(error) }
            let now = clock.now()
            // Of what doesn't expire nothing is left to chance.
            let random = (try? result.get()).map { $0.expiration == nil } == true ? 0 : surroundings.random()
            let (waiting, failure) = state.withLock { [place, isStable] state -> ([Waiter], (DynamoDBError, Duration)?) in
                defer { state.waiting = [:] }
                switch result {
                case .success(let credentials):
                    state.place = place
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
        var nothing: [String] = []
        let hasFound = state.withLock { $0.machine.hasFound }
        var mayPass = hasFound
        for provider in providers {
            let answer: ProviderAnswer
            do throws(DynamoDBError) { answer = try await provider.credentials(refreshing: refreshing) } catch {
                // What was set up well enough once may be again.
                if hasFound, !error.isRetryable, !error.isCancelled { throw .credentialsUnavailable("\(error)") }
                throw error
            }
            switch answer {
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
}
