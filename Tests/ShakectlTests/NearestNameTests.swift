import Testing

@testable import shakectl

@Suite("The nearest known name")
struct NearestNameTests {
    @Test(
        "An edit is a letter added, dropped, replaced or swapped with its neighbour",
        arguments: [
            ("mode", "mode", 0), ("mode", "modes", 1), ("tabels", "tables", 1), ("jornal", "journal", 1),
            ("taget", "target", 1), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3),
        ])
    func distance(first: String, second: String, edits: Int) {
        #expect(NearestName.distance(first, second) == edits)
        #expect(NearestName.distance(second, first) == edits)
    }

    @Test("Case says nothing, and of equals the first wins")
    func nearest() {
        #expect(NearestName.of("STATUS", in: ["state", "status"]) == "status")
        #expect(NearestName.of("x", in: ["a", "b"]) == "a")
        #expect(NearestName.of("x", in: []) == nil)
    }
}
