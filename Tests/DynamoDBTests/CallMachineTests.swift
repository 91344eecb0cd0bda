import StreamModel
import Testing

@testable import DynamoDB

@Suite("Trying again")
struct CallMachineTests {
    @Test("A wait is a random part of one that doubles up to the cap")
    func jitter() {
        let policy = RetryPolicy()
        let longest: [Duration] = (1..<10).map { policy.delay(after: $0, isThrottle: false, random: 1) ?? .zero }
        #expect(longest == [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000].map { .milliseconds($0) })
        for attempts in 1..<10 {
            #expect(policy.delay(after: attempts, isThrottle: false, random: 0) == .zero)
            #expect(policy.delay(after: attempts, isThrottle: false, random: 0.5) == longest[attempts - 1] / 2)
        }
    }

    @Test("After a throttle the wait is longer, and never nothing")
    func throttle() {
        let policy = RetryPolicy()
        #expect(policy.delay(after: 1, isThrottle: true, random: 0) == .milliseconds(50))
        #expect(policy.delay(after: 1, isThrottle: true, random: 1) == .milliseconds(100))
        #expect(policy.delay(after: 9, isThrottle: true, random: 1) == .seconds(5))
    }

    @Test("Attempts are bounded, whatever number of them", arguments: [1, 2, 10, 1000])
    func bounded(maximum: Int) {
        var policy = RetryPolicy()
        policy.maximumAttempts = maximum
        var machine = CallMachine(policy)
        var attempts = 1
        while case .wait(let duration) = machine.handle(.broken, random: 0.999) {
            attempts += 1
            #expect(duration <= policy.cap)
        }
        #expect(attempts == maximum)
    }

    @Test("Credentials are refreshed once in a call, and the clock is set once")
    func once() {
        let time = Timestamp(seconds: 1_700_000_000)
        var machine = CallMachine(RetryPolicy())
        #expect(machine.handle(.refused(.credentials, serviceTime: time), random: 0) == .refreshCredentials)
        #expect(machine.handle(.refused(.clockSkewed, serviceTime: time), random: 0) == .setClock(time))
        #expect(machine.handle(.refused(.throttled, serviceTime: nil), random: 1) == .wait(.milliseconds(400)))
        var other = machine
        #expect(machine.handle(.refused(.credentials, serviceTime: time), random: 0) == .giveUp)
        #expect(other.handle(.refused(.clockSkewed, serviceTime: time), random: 0) == .giveUp)
    }

    @Test("Without the service's time there is none to set the clock by")
    func noTime() {
        var machine = CallMachine(RetryPolicy())
        #expect(machine.handle(.refused(.clockSkewed, serviceTime: nil), random: 0) == .giveUp)
    }

    @Test(
        "What would bring the same answer isn't asked again",
        arguments: [ErrorClass.expiredIterator, .trimmed, .notFound, .inUse, .denied, .permanent])
    func permanent(errorClass: ErrorClass) {
        var machine = CallMachine(RetryPolicy())
        #expect(machine.handle(.refused(errorClass, serviceTime: nil), random: 0) == .giveUp)
        var final = CallMachine(RetryPolicy())
        #expect(final.handle(.final, random: 0) == .giveUp)
    }
}
