internal import Glibc
internal import StreamModel
internal import Synchronization

/// Kills this process at a named point, as `kill -9` would: for tests of what the next start makes of it.
///
///     SHAKE_CRASH_AT=after_target_write:17    the seventeenth time that it comes there
///
/// Without the variable it does nothing.
struct CrashHook: Equatable {
    static let variable = "SHAKE_CRASH_AT"

    private let point: CrashPoint
    private let count: Int

    /// `nil` where the variable isn't set.
    ///
    /// - Throws: `.configuration` for a value that is none.
    init?(_ environment: [String: String]) throws(ShakectlError) {
        guard let text = environment[Self.variable], !text.isEmpty else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let point = parts.first.flatMap({ CrashPoint(rawValue: String($0)) }),
            let count = parts.count == 2 ? Int(parts[1]) : 1, count > 0
        else {
            throw .configuration(
                "\(Self.variable)=\(text): it is POINT or POINT:COUNT, and the points are "
                    + CrashPoint.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.point = point
        self.count = count
    }

    /// The machine's time and chance, and a process that is killed where the environment says so.
    static func surroundings(_ environment: [String: String]) throws(ShakectlError) -> Surroundings {
        var surroundings = Surroundings()
        if let hook = try CrashHook(environment) { surroundings.passing = hook.passing() }
        return surroundings
    }

    private func passing() -> @Sendable (CrashPoint) async -> Void {
        let counter = Counter()
        return { [point, count] passed in
            guard passed == point, counter.passed.add(1, ordering: .relaxed).newValue == count else { return }
            kill(getpid(), SIGKILL)
        }
    }

    private final class Counter: Sendable {
        let passed = Atomic(0)
    }
}
