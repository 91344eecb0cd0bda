/// When something was last seen to have happened that is only counted, by looking at the count.
struct CountWatch: Equatable, Sendable {
    private var count: Int
    private var changed: Duration?

    /// - Parameter count: before the first look.
    init(_ count: Int = 0) { self.count = count }

    /// - Parameter uptime: of this look.
    /// - Returns: that of the newest look that saw more than the one before; `nil` where none has.
    mutating func look(_ now: Int, uptime: Duration) -> Duration? {
        if now != count { changed = uptime }
        count = now
        return changed
    }
}
