internal import ArgumentParser
internal import Glibc
// Where the compiler finds `timespec` depends on what else a module imports, and in which order.
internal import SwiftOverlayShims

/// What the service takes for the time, in microseconds since 1970.
struct ServerClock: Sendable {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case real
        /// Stands still; only the control interface sets it ahead.
        case manual
    }

    /// 2025-06-15T15:06:40Z
    private static let beginning: Int64 = 1_750_000_000_000_000

    private let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    var now: Int64 {
        switch kind {
        case .manual: return Self.beginning
        case .real:
            var time = timespec()
            // Fails for a clock that doesn't exist only.
            _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        }
    }
}
