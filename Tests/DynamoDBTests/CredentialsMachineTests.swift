import StreamModel
import Testing

@testable import DynamoDB

@Suite("When credentials are looked for")
struct CredentialsMachineTests {
    private static let start = Timestamp(microseconds: 1_800_000_000_000_000)
    private static let trouble = DynamoDBError.credentialsUnavailable("down")

    private static func hour(_ name: String = "A", lasting: Duration = .seconds(3600)) -> Credentials {
        Credentials(accessKeyID: name, secretAccessKey: "s", expiration: start + lasting)
    }

    private static func at(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }

    private static func holding(
        _ credentials: Credentials, outlives: Bool = false, random: Double = 0
    ) -> CredentialsMachine {
        var machine = CredentialsMachine()
        #expect(machine.wanted(insteadOf: nil, at: start) == .look)
        machine.found(credentials, outlivesExpiration: outlives, at: start, random: random)
        return machine
    }

    @Test("One looks, and all others wait for it")
    func single() {
        var machine = CredentialsMachine()
        #expect(machine.wanted(insteadOf: nil, at: Self.start) == .look)
        #expect(machine.wanted(insteadOf: nil, at: Self.start) == .wait)
        machine.found(Self.hour(), outlivesExpiration: false, at: Self.start, random: 0)
        #expect(machine.wanted(insteadOf: nil, at: Self.start) == .use(Self.hour()))
    }

    @Test("What doesn't expire is looked for again only when it was refused")
    func lasting() {
        let keys = Credentials(accessKeyID: "A", secretAccessKey: "s")
        var machine = Self.holding(keys)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(100_000_000)) == .use(keys))
        #expect(machine.wanted(insteadOf: keys, at: Self.start) == .look)
        machine.found(Self.hour(), outlivesExpiration: false, at: Self.start, random: 0)
        #expect(
            machine.wanted(insteadOf: keys, at: Self.start) == .use(Self.hour()), "somebody else has looked already")
    }

    @Test("An hour's are looked for 15 minutes before their end, beside calls that go on with them until they are expired")
    func hour() {
        var machine = Self.holding(Self.hour())
        #expect(machine.wanted(insteadOf: nil, at: Self.at(2699)) == .use(Self.hour()))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(2700)) == .useAndLook(Self.hour()))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(2701)) == .use(Self.hour()), "somebody looks already")
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3539)) == .use(Self.hour()), "its answer is not waited for")
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3540)) == .wait, "what is signed now may arrive too late")
        machine.found(Self.hour("B", lasting: .seconds(7200)), outlivesExpiration: false, at: Self.at(3540), random: 0)
        #expect(
            machine.wanted(insteadOf: nil, at: Self.at(3540)) == .use(Self.hour("B", lasting: .seconds(7200))))
    }

    @Test("Of many that got theirs together each refreshes at a time of its own", arguments: [0, 0.25, 0.5, 0.999])
    func jitter(random: Double) {
        var machine = Self.holding(Self.hour(), random: random)
        let due = 2700 + Int(450 * random)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(due - 1)) == .use(Self.hour()))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(due + 1)) == .useAndLook(Self.hour()))
    }

    @Test("Those of a quarter of an hour, the shortest that STS gives, are not looked for at each call")
    func short() {
        let short = Self.hour(lasting: .seconds(900))
        var machine = Self.holding(short)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(599)) == .use(short))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(600)) == .useAndLook(short))
    }

    @Test("A refresh that fails keeps the old ones while they are good, and is made again after a pause that grows")
    func keeps() {
        var machine = Self.holding(Self.hour())
        var now = 2700
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(machine.wanted(insteadOf: nil, at: Self.at(now)) == .useAndLook(Self.hour()), "at \(now)")
            #expect(machine.failed(Self.trouble, at: Self.at(now), random: 1) == .seconds(pause))
            #expect(machine.wanted(insteadOf: nil, at: Self.at(now + pause - 1)) == .use(Self.hour()))
            now += pause
        }
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3400)) == .useAndLook(Self.hour()), "nor does one wait close to the end")
        _ = machine.failed(Self.trouble, at: Self.at(3400), random: 0)
        #expect(machine.good(insteadOf: nil, at: Self.at(3400)) == Self.hour())
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3401)) == .use(Self.hour()))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3540)) == .look, "they are as good as expired")
        _ = machine.failed(Self.trouble, at: Self.at(3540), random: 0)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3540)) == .fail(Self.trouble))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3545)) == .look)
    }

    @Test("Those that were refused are never used again, however long they would last")
    func refused() {
        var machine = Self.holding(Self.hour())
        #expect(machine.wanted(insteadOf: Self.hour(), at: Self.at(10)) == .look)
        _ = machine.failed(Self.trouble, at: Self.at(10), random: 0)
        #expect(machine.good(insteadOf: Self.hour(), at: Self.at(10)) == nil)
        #expect(machine.wanted(insteadOf: Self.hour(), at: Self.at(10)) == .fail(Self.trouble))
    }

    @Test("An instance's outlive their expiration while its metadata service gives nothing newer")
    func stable() {
        var machine = Self.holding(Self.hour(), outlives: true)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3700)) == .look)
        _ = machine.failed(Self.trouble, at: Self.at(3700), random: 0)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(3700)) == .use(Self.hour()))
        // The service itself gives expired ones on.
        machine.found(Self.hour(), outlivesExpiration: true, at: Self.at(4000), random: 0)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(4449)) == .use(Self.hour()))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(4450)) == .useAndLook(Self.hour()))
    }

    @Test("Fresh ones that have expired by our clock are used: the service says what they are worth")
    func skewed() {
        let old = Self.hour(lasting: .seconds(-5000))
        var machine = Self.holding(old)
        #expect(machine.wanted(insteadOf: nil, at: Self.at(1)) == .use(old))
        #expect(machine.wanted(insteadOf: nil, at: Self.at(61)) == .look)
    }

    @Test("A look-up that was cancelled is no failure")
    func cancelled() {
        var machine = CredentialsMachine()
        #expect(machine.wanted(insteadOf: nil, at: Self.start) == .look)
        #expect(machine.failed(.cancelled, at: Self.start, random: 1) == .zero)
        #expect(machine.wanted(insteadOf: nil, at: Self.start) == .look)
    }
}
