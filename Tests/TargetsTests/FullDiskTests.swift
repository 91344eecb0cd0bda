import StreamModel
import Targets
import Testing

@Suite("A target whose disk is full")
struct FullDiskTests {
    private static func batch(_ first: Int, padding: Int) -> Batch {
        let key = #"{"id":{"S":"\#(first)"}}"#
        let item = #"{"id":{"S":"\#(first)"},"v":{"S":"\#(String(repeating: "v", count: padding))"}}"#
        return Feed.batch(.people, first: first, [.insert(keys: key, new: item)])
    }

    /// In a process of its own, since the limit counts for all of it.
    private static func story(_ candidate: Candidate) async throws {
        var daemon = try await Daemon(candidate, [.people])
        try await daemon.write(batch(1, padding: 10))
        FileSizeLimit.set(100_000)
        for _ in 1...2 {
            do {
                try await daemon.write([batch(2, padding: 3_000_000), batch(3, padding: 10)])
                Issue.record("a write beyond the limit was taken")
            } catch let error as TargetError {
                #expect(error.isRetryable, "\(error)")
                #expect(error.description.contains("the write is tried again"))
            }
            #expect(try await daemon.items(of: .people).count == 1, "nothing of the failed write is seen")
        }
        FileSizeLimit.lift()
        try await daemon.write([batch(2, padding: 3_000_000), batch(3, padding: 10)])
        #expect(try await daemon.items(of: .people).count == 3)
        try await daemon.restart()
        #expect(try await daemon.items(of: .people).count == 3)
    }

    @Test("SQLite: a write that fails leaves nothing behind, and is taken once there is room")
    func sqlite() async {
        await #expect(processExitsWith: .success) { try await FullDiskTests.story(.sqlite) }
    }

    @Test("JSON Lines: a write that fails leaves nothing behind, and is taken once there is room")
    func jsonLines() async {
        await #expect(processExitsWith: .success) { try await FullDiskTests.story(.jsonLines) }
    }
}
