import Testing

/// A condition did not come true in time.
struct NeverCame: Error, CustomStringConvertible {
    let description: String
}

/// Returns as soon as `condition` holds.
///
/// - Throws: `NeverCame` after ten seconds, hundreds of times what anything here takes; so a test that fails ends.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else { throw NeverCame(description: "not within ten seconds: \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}
