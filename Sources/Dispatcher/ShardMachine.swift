package import StreamModel

/// Decides what a shard does next.
///
/// Two lanes run side by side: pages are fetched while the ones before them are delivered (written to the target, then
/// appended to the journal).
///
///     reading     resolving ─iterator▶ fetching ─page▶ fetching | paused (window full) | ended
///                     ▲                   └─expired▶ draining ─all delivered─┐
///                     └───────────────────────────────────────────────────────┘
///     delivering  idle ─page▶ delivering ─delivered▶ delivering (what waited meanwhile) | idle
///
/// The checkpoint follows the target: a crash repeats records and never skips one. The shard is finished when reading has
/// ended and everything read is delivered, not before.
package struct ShardMachine: Hashable, Sendable {
    /// What has happened: each the answer to an action, or from outside.
    package enum Event: Hashable, Sendable {
        /// The iterator that `.resolve` asked for.
        case resolved(ShardIterator)
        /// A page came, which may bring nothing.
        case page(PageFacts)
        /// The service doesn't know the cursor any more.
        case expired
        /// What comes next is gone from the stream, unread.
        case trimmed
        /// The shard itself is gone from the stream.
        case gone
        /// The batch is in the target and in the journal.
        case delivered(upTo: SequenceNumber)
        /// The batch is in the target and the journal did not take it: an operator's rewind came between.
        case conflict
        /// The journal moved under us: the same, noticed while nothing was in flight, or before it ended.
        case displaced
        /// The daemon is to stop.
        case stop

        /// For whoever observes the machine's steps.
        package var name: String {
            switch self {
            case .resolved: "resolved"
            case .page: "page"
            case .expired: "expired"
            case .trimmed: "trimmed"
            case .gone: "gone"
            case .delivered: "delivered"
            case .conflict: "conflict"
            case .displaced: "displaced"
            case .stop: "stop"
            }
        }
    }

    /// What the driver is to do; each but `.finish` is answered by one event.
    package enum Action: Hashable, Sendable {
        /// Ask for an iterator at that place.
        case resolve(Start)
        /// Ask for the next page, after a pause of that long.
        case fetch(ShardIterator, after: Duration)
        /// The oldest `pages` that wait, as one batch.
        case deliver(pages: Int, upTo: SequenceNumber)
        /// Nothing is under way any more that matters: cancel the rest.
        case finish(Outcome)
    }

    /// How reading a shard has ended. In each case what was handed to the target is durable, or displaced.
    package enum Outcome: Hashable, Sendable {
        /// Read to its end, and all of it is durable.
        case done
        /// Start again from what the journal says now.
        case displaced
        /// The iterator that the shard was to start with is dead, and nothing was read with it.
        case startExpired
        /// The service calls iterators expired that it has only just given.
        case expiredAtOnce
        /// What comes after `durable` has left the stream unread.
        case trimmed
        /// The shard has left the stream, with whatever comes after `durable`.
        case gone
        /// As the daemon was told; it is not read to its end.
        case stopped
    }

    private enum Reading: Hashable, Sendable {
        case resolving
        case fetching
        case paused(next: ShardIterator, after: Duration)
        /// No more is asked for; when everything read is delivered, this follows.
        case draining(Afterwards)
    }

    private enum Afterwards: Hashable, Sendable {
        case resolve
        case finish(Outcome)
    }

    /// Where the reading lane stands, for whoever observes its steps.
    package var state: String {
        switch reading {
        case .resolving: "resolving"
        case .fetching: "fetching"
        case .paused: "paused"
        case .draining: "draining"
        }
    }

    /// The most pages that are fetched and not yet delivered. One is written while the next arrives; more let a slow
    /// target take several in one transaction.
    package static let window = 6

    private var reading: Reading
    private var pacing: PollPacing
    /// Last number of each page that was fetched and is not yet handed to the target, oldest first.
    private var waiting: [SequenceNumber] = []
    /// Pages in the target's hands.
    private var delivering = 0
    /// Where the journal stands.
    package private(set) var durable: Start
    /// The last page brought nothing: as far as we know there is no more.
    private var cameUpEmpty = false
    /// How many came in a row that brought nothing; more than enough where none ever brought anything.
    private var emptyPages = quietPages
    /// After so many empty pages, some six seconds' worth, a shard is idle: one that is written to ten times a second has an empty
    /// page now and then.
    package static let quietPages = 8
    /// Whether an iterator expired since the last page.
    private var hasExpired = false
    /// Whether any page came.
    package private(set) var hasRead = false

    package init(start: Start, pacing: PollPacing) {
        durable = start
        self.pacing = pacing
        reading = .resolving
    }

    /// All that the stream has shown is in the target and in the journal.
    package var isInStep: Bool { cameUpEmpty && waiting.isEmpty && delivering == 0 }

    /// Whether the shard may well have more to give: one of its last pages brought something, or none has come yet.
    package var expectsMore: Bool { !hasRead || emptyPages <= Self.quietPages }

    /// Whether nothing is under way but the call for the next page, and nothing is expected of that: who drives the machine needs
    /// no task meanwhile.
    package var maySleep: Bool { isInStep && !expectsMore }

    /// What to do first.
    package func begin() -> [Action] { [.resolve(durable)] }

    /// Takes an event and says what to do next, in order; nothing for an answer that came too late to matter.
    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .resolved(let iterator):
            // An answer that comes after a stop is of no use to anybody.
            guard reading == .resolving else { return [] }
            reading = .fetching
            return [.fetch(iterator, after: .zero)]

        case .page(let page):
            guard reading == .fetching else { return [] }  // as above: it was never promised to anybody
            hasExpired = false
            hasRead = true
            let wait = pacing.delay(after: page)
            cameUpEmpty = page.records == 0
            emptyPages = cameUpEmpty ? min(emptyPages, Self.quietPages) + 1 : 0
            if let last = page.last { waiting.append(last) }
            let delivery = deliverNext()
            guard let next = page.next else { return delivery + drain(then: .finish(.done)) }
            guard waiting.count + delivering < Self.window else {
                reading = .paused(next: next, after: wait)
                return delivery
            }
            return delivery + [.fetch(next, after: wait)]

        case .delivered(let upTo):
            delivering = 0
            durable = Start(.after(upTo))
            switch reading {
            case .draining(let afterwards): return deliverNext() + drain(then: afterwards)
            case .paused(let next, let wait):
                reading = .fetching
                return deliverNext() + [.fetch(next, after: wait)]
            case .resolving, .fetching: return deliverNext()
            }

        case .expired:
            guard reading == .fetching || reading == .resolving else { return [] }
            switch durable.place {
            case .iterator, .latest:
                // Where it began is the journal's to say: LATEST would be another place by now.
                if waiting.isEmpty, delivering == 0 { return drain(then: .finish(.startExpired)) }
            case .trimHorizon, .at, .after: break
            }
            defer { hasExpired = true }
            return drain(then: hasExpired ? .finish(.expiredAtOnce) : .resolve)

        case .trimmed:
            guard reading == .fetching || reading == .resolving else { return [] }
            return drain(then: .finish(.trimmed))

        case .gone:
            guard reading == .fetching || reading == .resolving else { return [] }
            return drain(then: .finish(.gone))

        case .conflict:
            delivering = 0
            waiting.removeAll()
            return drain(then: .finish(.displaced))

        case .displaced:
            waiting.removeAll()
            return drain(then: .finish(.displaced))

        case .stop:
            waiting.removeAll()  // not yet handed over: the next run reads them again
            return drain(then: .finish(.stopped))
        }
    }

    /// Hands over everything that waits, if the target's hands are free.
    private mutating func deliverNext() -> [Action] {
        guard delivering == 0, let last = waiting.last else { return [] }
        delivering = waiting.count
        waiting.removeAll(keepingCapacity: true)
        return [.deliver(pages: delivering, upTo: last)]
    }

    private mutating func drain(then afterwards: Afterwards) -> [Action] {
        reading = .draining(afterwards)
        guard delivering == 0, waiting.isEmpty else { return [] }
        switch afterwards {
        case .resolve:
            reading = .resolving
            return [.resolve(durable)]
        case .finish(let outcome):
            return [.finish(outcome)]
        }
    }
}
