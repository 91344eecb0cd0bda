/// How many segments are read at a time: one more for as long as that brings more.
///
/// What holds a scan back may be the source, its capacity, the wire or the target. None of them need be known: where another
/// reader brings nothing, it goes again: it is none of the readers' matter. After a while it is tried again, since all of them
/// change.
struct ScanReaders: Sendable {
    private(set) var count: Int
    private let maximum: Int
    private var began: Duration
    private var bytes = 0
    private var pages = 0
    /// What came a second with one reader less.
    private var before: Double?
    private var rest: Duration?

    /// A look takes at least so long, and so many pages of each reader.
    private static let window: Duration = .seconds(2)
    private static let pagesOfReader = 2
    /// What one more must bring, as a factor.
    private static let gain = 1.05
    private static let patience: Duration = .seconds(300)

    /// - Parameters:
    ///   - first: to begin with.
    ///   - maximum: as `first` where their number is the user's choice.
    init(first: Int, maximum: Int, now: Duration) {
        (count, self.maximum, began) = (min(first, maximum), maximum, now)
    }

    /// A page is in the target.
    mutating func took(_ bytes: Int, at now: Duration) {
        guard count < maximum else { return }
        if let rest {
            guard now - rest >= Self.patience else { return }
            self.rest = nil
            begin(now)
            return
        }
        self.bytes += bytes
        pages += 1
        guard now - began >= Self.window, pages >= count * Self.pagesOfReader else { return }
        let rate = Double(self.bytes) / ((now - began) / .seconds(1))
        if let before, rate < before * Self.gain {
            count -= 1
            self.before = nil
            rest = now
            return
        }
        before = rate
        count += 1
        begin(now)
    }

    private mutating func begin(_ now: Duration) { (began, bytes, pages) = (now, 0, 0) }
}
