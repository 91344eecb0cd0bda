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
        #expect(try await chain.credentials().accessKeyID == "A")
        await provider.asked()
        while said.withLock({ $0.isEmpty }) { await Task.yield() }
        let line = said.withLock { $0 }
        #expect(line.count == 1 && line[0].hasSuffix("in 0.5 seconds"))
        #expect(line[0].hasPrefix("no newer AWS credentials: gate: gone. The first ones came from there"))
        clock.withLock { $0 = start + .seconds(3600) }
        let error = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect(error?.code == "CredentialsUnavailable", "what was set up once may be again: the daemon tries on")
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

    @Test("While a refresh has no answer, calls go on with what there is until it is expired, and one refresh is made")
    func silent() async throws {
        let start = Timestamp(microseconds: 1_800_000_000_000_000)
        let clock = Mutex(start)
        let surroundings = Surroundings(now: { clock.withLock { $0 } }, random: { 0 })
        let provider = Gate()
        let chain = CredentialsChain([provider], surroundings: surroundings)
        provider.open(.success(Self.keys("A", until: start + .seconds(3600))))
        #expect(try await chain.credentials().accessKeyID == "A")
        await provider.asked()
        provider.close()
        for second in stride(from: 2700, to: 3540, by: 60) {
            clock.withLock { $0 = start + .seconds(second) }
            #expect(try await chain.credentials().accessKeyID == "A", "at \(second) s")
        }
        await provider.asked()
        #expect(provider.count == 2)
        clock.withLock { $0 = start + .seconds(3540) }
        let waiting = Task { try await chain.credentials().accessKeyID }
        provider.open(.success(Self.keys("B", until: start + .seconds(7200))))
        #expect(try await waiting.value == "B", "what is as good as expired is not signed with")
        #expect(provider.count == 2)
    }

    @Test("The place that gave them is asked for newer ones, and no other, whatever it or one before it says then")
    func pinned() async throws {
        let start = Timestamp(microseconds: 1_800_000_000_000_000)
        let clock = Mutex(start)
        let (before, giver, after) = (Place("before"), Place("giver"), Place("after"))
        let chain = CredentialsChain(
            [before, giver, after], surroundings: Surroundings(now: { clock.withLock { $0 } }, random: { 0 }))
        giver.says(.success(.found(Self.keys("A", until: start + .seconds(3600)))))
        after.says(.success(.found(Self.keys("SOMEBODY"))))
        #expect(try await chain.credentials().accessKeyID == "A")
        #expect(chain.place == "giver")
        before.says(.success(.found(Self.keys("ELSE"))))
        giver.says(.success(.nothing(why: "it was emptied")))
        clock.withLock { $0 = start + .seconds(3600) }
        let emptied = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect(emptied?.isRetryable == true)
        #expect("\(emptied!)".hasPrefix("no newer AWS credentials: giver: it was emptied."), "\(emptied!)")
        clock.withLock { $0 = start + .seconds(3700) }
        giver.says(.failure(.credentials("giver: half of it is there")))
        let half = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect("\(half!)".hasPrefix("no newer AWS credentials: giver: half of it is there."), "\(half!)")
        clock.withLock { $0 = start + .seconds(3800) }
        giver.says(.success(.found(Self.keys("B", until: start + .seconds(9000)))))
        let second = try await chain.credentials()
        #expect(second.accessKeyID == "B")
        // Refused ones don't begin the search anew, either.
        giver.says(.success(.found(Self.keys("C", until: start + .seconds(9000)))))
        #expect(try await chain.credentials(insteadOf: second).accessKeyID == "C")
        #expect(before.count == 1 && after.count == 0)
    }

    private static func keys(_ name: String, until expiration: Timestamp? = nil) -> Credentials {
        Credentials(accessKeyID: name, secretAccessKey: "s", expiration: expiration)
    }

    /// Answers what it was last told to; at first, that it has nothing.
    private final class Place: CredentialsProvider {
        private let state = Mutex((answer: Result<ProviderAnswer, DynamoDBError>.success(.nothing(why: "empty")), count: 0))
        let name: String

        init(_ name: String) { self.name = name }

        var count: Int { state.withLock { $0.count } }

        func says(_ answer: Result<ProviderAnswer, DynamoDBError>) { state.withLock { $0.answer = answer } }

        func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
            let answer = state.withLock { state in
                state.count += 1
                return state.answer
            }
            return try answer.get()
        }
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

        /// From now on there is no answer.
        func close() { state.withLock { $0.result = nil } }

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
