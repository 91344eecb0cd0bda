internal import DynamoDB

/// Which writes go into the next call, and when: a value that knows their sizes and no payload, clock or network.
///
///     waiting ──its time──▶ in a call ──done──▶ done
///        ▲                    │  │ └─refused──▶ two calls of its halves ──▶ … ──▶ one write: refused
///        └──unprocessed───────┘  └─throttled──▶ waiting, or where calls stay whole the same call again
///
/// Each write is of another key and in one call at a time, so nothing here can change the order of a key's changes.
struct WriteQueue: Equatable, Sendable {
    struct Limits: Equatable, Sendable {
        /// Of one call.
        var writes: Int
        var bytes: Int
        /// Under way at a time.
        var calls: Int
    }

    struct Call: Hashable, Sendable {
        /// Stays the same where the call is made again as it was.
        let id: Int
        let members: [Int]
    }

    enum Step: Equatable, Sendable {
        case call(Call)
        /// Until then, or until a call comes back; `nil`: only until a call comes back.
        case wait(until: Duration?)
        case done
        /// Nothing was done for as long as it may take.
        case stuck
    }

    enum Outcome: Equatable, Sendable {
        /// All but these members.
        case done(unprocessed: [Int])
        /// Nothing of it.
        case throttled
        /// Nothing of it, since one of its members can't be written.
        case refused
    }

    private struct Group: Equatable {
        let call: Call
        var due: Duration
        var attempts: Int
    }

    private let sizes: [Int]
    private let limits: Limits
    private let policy: RetryPolicy
    private let patience: Duration
    /// Whether a call that did nothing is made again as it was, and not as part of others.
    private let keepsCalls: Bool

    private var due: [Duration]
    private var attempts: [Int]
    /// Those whose time had come when they were put here, in order; the first `taken` are gone.
    private var ready: [Int] = []
    private var taken = 0
    private var waiting: [Int] = []
    private var groups: [Group] = []
    private var underWay: [Int: Int] = [:]
    private var left: Int
    private var callsMade = 0
    private var progress: Duration

    /// - Parameters:
    ///   - due: the moment from which each may be written.
    ///   - patience: since something was done last; what must wait until its time doesn't use it up.
    init(
        sizes: [Int], due: [Duration], limits: Limits, policy: RetryPolicy, patience: Duration, keepsCalls: Bool,
        at now: Duration
    ) {
        self.sizes = sizes
        self.due = due
        self.limits = limits
        self.policy = policy
        self.patience = patience
        self.keepsCalls = keepsCalls
        attempts = Array(repeating: 0, count: sizes.count)
        waiting = Array(sizes.indices)
        left = sizes.count
        progress = max(now, due.max() ?? now)
    }

    mutating func next(at now: Duration) -> Step {
        guard left > 0 else { return .done }
        if underWay.isEmpty, now - progress > patience { return .stuck }
        guard underWay.count < limits.calls else { return .wait(until: nil) }
        if let index = groups.firstIndex(where: { $0.due <= now }) { return begin(groups.remove(at: index)) }
        ready += waiting.filter { due[$0] <= now }
        waiting.removeAll { due[$0] <= now }
        guard taken < ready.count else {
            return .wait(until: (waiting.map { due[$0] } + groups.map(\.due)).min())
        }
        var (members, bytes): ([Int], Int) = ([], 0)
        while taken < ready.count, members.count < limits.writes {
            let write = ready[taken]
            guard members.isEmpty || bytes + sizes[write] <= limits.bytes else { break }
            members.append(write)
            bytes += sizes[write]
            taken += 1
        }
        if taken == ready.count { (ready, taken) = ([], 0) }
        return begin(Group(call: newCall(members), due: now, attempts: 0))
    }

    /// - Parameter random: in 0..<1.
    /// - Returns: the write that can't be written, once it is known which.
    mutating func handle(_ outcome: Outcome, of call: Call, random: Double, at now: Duration) -> Int? {
        let made = underWay.removeValue(forKey: call.id) ?? 0
        switch outcome {
        case .done(let unprocessed):
            left -= call.members.count - unprocessed.count
            if unprocessed.count < call.members.count { progress = max(progress, now) }
            again(unprocessed, random, now)
        case .throttled where keepsCalls:
            groups.append(Group(call: call, due: now + delay(after: made + 1, random), attempts: made + 1))
        case .throttled: again(call.members, random, now)
        case .refused:
            guard call.members.count > 1 else { return call.members.first }
            let middle = call.members.count / 2
            for half in [call.members[..<middle], call.members[middle...]] {
                groups.append(Group(call: newCall(Array(half)), due: now, attempts: 0))
            }
        }
        return nil
    }

    private mutating func again(_ writes: [Int], _ random: Double, _ now: Duration) {
        for write in writes {
            attempts[write] += 1
            due[write] = now + delay(after: attempts[write], random)
        }
        waiting += writes
    }

    /// As long as it takes, where the policy would give up: `patience` says when that is.
    private func delay(after attempts: Int, _ random: Double) -> Duration {
        policy.delay(
            after: min(attempts, max(1, policy.maximumAttempts - 1)), isThrottle: true, random: random)
            ?? policy.cap
    }

    private mutating func newCall(_ members: [Int]) -> Call {
        callsMade += 1
        return Call(id: callsMade, members: members)
    }

    private mutating func begin(_ group: Group) -> Step {
        underWay[group.call.id] = group.attempts
        return .call(group.call)
    }
}
