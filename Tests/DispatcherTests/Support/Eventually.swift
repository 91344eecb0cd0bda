import Testing

/// A condition did not come true in time.
struct NeverCame: Error, CustomStringConvertible {
    let description: String
}

/// Returns as soon as `condition` holds.
///
/// - Throws: `NeverCame` after half a minute, so that a test that fails ends. Alone everything here takes milliseconds; beside
///   suites that hold both of a small machine's threads, seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else { throw NeverCame(description: "not within half a minute: \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}
