internal import StreamModel

/// Decides which credentials are used, and when others are looked for: a value, without chance, network or clock.
///
///     none ──found──▶ good ──a while before they expire──▶ good, and others looked for ──found──▶ good
///                                                           │        ▲ └─failed─▶ (after a pause)──┐
///                                                           │        └─────────────────────────────┘
///                                                           └──expired──▶ none: whoever asks waits for the answer
///
/// One look-up at a time, whoever asks; nobody waits for it who has credentials that are still good, for it may take as long as
/// a service is silent. (botocore waits from 10 minutes before they expire on.) Each of a crowd of processes that got theirs
/// together refreshes at a moment of its own.
struct CredentialsMachine: Equatable, Sendable {
    enum Action: Equatable, Sendable {
        case use(Credentials)
        /// These are still good: others are looked for beside the call that is made with them.
        case useAndLook(Credentials)
        /// Look for some, and wait for them.
        case look
        /// Somebody looks already.
        case wait
        /// The last look-up has failed just now.
        case fail(DynamoDBError)
    }

    private struct Kept: Equatable, Sendable {
        let credentials: Credentials
        /// From when on others are looked for; `nil` where they don't expire.
        var due: Timestamp?
        /// Until when they are signed with; `nil` where they don't expire.
        var goodUntil: Timestamp?
        let outlivesExpiration: Bool
    }

    /// What is signed until then must still arrive.
    static let margin: Duration = .seconds(60)
    /// The longest before they expire that others are looked for; of credentials of less than 45 minutes it is a third of their time.
    static let window: Duration = .seconds(900)
    /// How long credentials are used beyond their expiration where that is allowed (botocore: 15 minutes, and 2 to 10 by chance).
    static let stretch: Duration = .seconds(900)

    private var kept: Kept?
    private(set) var isLooking = false
    private var failures = 0
    private var rest: Timestamp?
    private var lastError: DynamoDBError?

    /// - Parameter refused: what the service has just refused; others are looked for, unless that has happened since.
    mutating func wanted(insteadOf refused: Credentials?, at now: Timestamp) -> Action {
        let isResting = rest.map { now < $0 } ?? false
        if let good = self.good(insteadOf: refused, at: now) {
            guard let due = kept?.due, due <= now, !isResting else { return .use(good) }
            guard !isLooking else { return .use(good) }
            isLooking = true
            return .useAndLook(good)
        }
        guard !isLooking else { return .wait }
        if isResting, let lastError { return .fail(lastError) }
        isLooking = true
        return .look
    }

    /// Those that are still good, should others not be had.
    func good(insteadOf refused: Credentials?, at now: Timestamp) -> Credentials? {
        guard let kept, kept.credentials != refused, kept.goodUntil.map({ now < $0 }) ?? true else { return nil }
        return kept.credentials
    }

    /// - Parameter random: in 0..<1.
    mutating func found(_ credentials: Credentials, outlivesExpiration: Bool, at now: Timestamp, random: Double) {
        isLooking = false
        (failures, rest, lastError) = (0, nil, nil)
        var fresh = Kept(
            credentials: credentials, due: nil, goodUntil: nil, outlivesExpiration: outlivesExpiration)
        defer { kept = fresh }
        guard let expiration = credentials.expiration else { return }
        let left = expiration - now
        guard left > Self.margin else {
            // So little is left, or one of the clocks is wrong. They are what there is: the service says what they are worth.
            let longer = outlivesExpiration ? Self.stretch * (1 + random * 0.5) : Self.margin
            (fresh.due, fresh.goodUntil) = (now + longer / 2, now + longer)
            return
        }
        let window = min(Self.window, left / 3)
        fresh.due = expiration + (window / 2 * random - window)
        fresh.goodUntil = expiration + (Duration.zero - min(Self.margin, window / 4))
    }

    /// - Returns: how long nobody asks again.
    mutating func failed(_ error: DynamoDBError, at now: Timestamp, random: Double) -> Duration {
        isLooking = false
        guard !error.isCancelled else { return .zero }
        if let kept, kept.outlivesExpiration, let until = kept.goodUntil {
            self.kept?.goodUntil = max(until, now + Self.stretch * (1 + random * 0.5))
        }
        let isGood = kept?.goodUntil.map { now < $0 } ?? false
        let longest: Duration = min(isGood ? .seconds(60) : .seconds(5), .seconds(1 << min(failures, 6)))
        failures += 1
        let pause = longest / 2 + longest / 2 * random
        // Whoever has none any more asks at once.
        let end = kept?.goodUntil.flatMap { isGood ? $0 : nil }
        (rest, lastError) = (min(now + pause, end ?? now + pause), error)
        return pause
    }
}
