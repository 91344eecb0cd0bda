import StreamModel
import Synchronization
import Testing

@testable import DynamoDB

@Suite("Asking for credentials together")
struct CredentialsChainTests {
    @Test("A crowd that asks at once makes one look-up, and all get its answer", arguments: [false, true])
    func single(fails: Bool) async throws {
        let provider = Gate()
        let chain = CredentialsChain(
            [provider], surroundings: Surroundings(now: { Timestamp(microseconds: 1_800_000_000_000_000) }))
        let crowd = (0..<50).map { _ in Task { try? await chain.credentials().accessKeyID } }
        await provider.asked()
        provider.open(fails ? .failure(.credentials("none")) : .success(Self.keys("A")))
        for one in crowd { #expect(await one.value == (fails ? nil : "A")) }
        #expect(provider.count == 1)
    }

    @Test("One of them who is cancelled waits no longer, and the others get the answer")
    func cancelled() async throws {
        let provider = Gate()
        let chain = CredentialsChain([provider])
        let first = Task { try await chain.credentials() }
        await provider.asked()
        let second = Task { try await chain.credentials() }
        first.cancel()
        await #expect(throws: DynamoDBError.cancelled) { try await first.value }
        provider.open(.success(Self.keys("A")))
        #expect(try await second.value.accessKeyID == "A")
        #expect(provider.count == 1)
    }

    @Test("A refresh that fails while the old ones are good is said, and the old ones are used")
    func failing() async throws {
        let clock = Mutex(Timestamp(microseconds: 1_800_000_000_000_000))
        let start = clock.withLock { $0 }
        let surroundings = Surroundings(now: { clock.withLock { $0 } }, random: { 0 })
        let provider = Gate()
        let said = Mutex<[String]>([])
        let chain = CredentialsChain(
            [provider], clock: ServiceClock(surroundings), surroundings: surroundings,
            onFailure: { error, pause in said.withLock { $0.append("\(error) in \(pause)") } })
        provider.open(.success(Self.keys("A", until: start + .seconds(3600))))
        #expect(try await chain.credentials().accessKeyID == "A")
        provider.open(.failure(.credentials("gone")))
        clock.withLock { $0 = start + .seconds(3400) }
        #expect(try await chain.credentials().accessKeyID == "A", "it has waited for others in vain")
        #expect(said.withLock { $0 } == ["gone in 0.5 seconds"])
        clock.withLock { $0 = start + .seconds(3600) }
        let error = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect(error == .credentialsUnavailable("gone"), "what was set up once may be again: the daemon tries on")
        // Nor does it end by what is denied or half written just now.
        clock.withLock { $0 = start + .seconds(3650) }
        provider.open(
            .failure(
                .service(
                    code: "AccessDenied", message: "no", status: 403, operation: "AssumeRole", object: "role",
                    requestID: nil)))
        let denied = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect(denied?.isRetryable == true && "\(denied!)".contains("AccessDenied"))
        clock.withLock { $0 = start + .seconds(3700) }
        provider.open(.success(Self.keys("B", until: start + .seconds(9000))))
        #expect(try await chain.credentials().accessKeyID == "B")
    }

    private static func keys(_ name: String, until expiration: Timestamp? = nil) -> Credentials {
        Credentials(accessKeyID: name, secretAccessKey: "s", expiration: expiration)
    }

    /// Answers what it was last told to, from when it was told to.
    private final class Gate: CredentialsProvider {
        private struct State {
            var result: Result<Credentials, DynamoDBError>?
            var count = 0
        }

        private let state = Mutex(State())
        private let (opened, opening) = AsyncStream<Void>.makeStream()
        private let (arrived, arrival) = AsyncStream<Void>.makeStream()

        let name = "gate"
        var count: Int { state.withLock { $0.count } }

        func open(_ result: Result<Credentials, DynamoDBError>) {
            state.withLock { $0.result = result }
            opening.yield()
        }

        func asked() async { for await _ in arrived { return } }

        func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
            state.withLock { $0.count += 1 }
            arrival.yield()
            while true {
                if let result = state.withLock({ $0.result }) { return .found(try result.get()) }
                for await _ in opened { break }
            }
        }
    }
}
