package import StreamModel

/// When the next page of a shard is asked for.
///
/// At once while there is more to fetch than arrives, and backing off to `maximum` while nothing comes, so that an idle
/// shard costs a call a second and a new write is in the target within about that.
package struct PollPacing: Hashable, Sendable {
    /// The longest wait between two calls.
    package let maximum: Duration
    private var next: Duration

    /// The first wait after an empty page; each further one doubles it.
    package static let first: Duration = .milliseconds(125)
    /// The longest wait in a closed shard: its end is certain to come, and its children wait for it.
    package static let closed: Duration = .milliseconds(50)
    /// From this age on a record shows that the reading is behind, whatever the page's size.
    package static let behind: Duration = .seconds(5)
    /// A page of this many records or bytes was cut by the service's limits (1000 records, 1 MB), so there is more.
    package static let fullRecords = 1000
    package static let fullBytes = 512 * 1024

    package init(maximum: Duration) {
        self.maximum = maximum
        next = min(Self.first, maximum)
    }

    /// The wait after a page; `.zero` is at once.
    package mutating func delay(after page: PageFacts) -> Duration {
        guard page.records > 0 else {
            let wait = next
            next = min(next * 2, maximum)
            return wait
        }
        next = min(Self.first, maximum)
        let isFull = page.records >= Self.fullRecords || page.bytes >= Self.fullBytes
        let isBehind = page.age.map { $0 > Self.behind } ?? true
        return isFull || isBehind ? .zero : next
    }
}

/// What the rules need to know of a page.
package struct PageFacts: Hashable, Sendable {
    /// How many it brought, dropped ones included.
    package var records: Int
    package var bytes: Int
    /// How long ago the last record was made.
    package var age: Duration?
    /// Of the last record that is to be written; `nil` if there is none.
    package var last: SequenceNumber?
    /// Absent: this was the shard's last page.
    package var next: ShardIterator?

    package init(records: Int, bytes: Int, age: Duration?, last: SequenceNumber?, next: ShardIterator?) {
        self.records = records
        self.bytes = bytes
        self.age = age
        self.last = last
        self.next = next
    }
}
