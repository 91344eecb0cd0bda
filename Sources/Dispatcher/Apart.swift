/// What `body` gives, as a task of its own: a task keeps the memory that its deepest call took, and one that reads a shard lives
/// for days.
func apart<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
    try await withThrowingTaskGroup(of: R.self) { group in
        group.addTask { try await body() }
        guard let result = try await group.next() else { preconditionFailure("the group has one task") }
        return result
    }
}
