import Testing

@testable import shakectl

@Suite("How durations and sizes are spelled")
struct SpellingTests {
    @Test(
        "A duration is seconds, or numbers with units",
        arguments: [
            ("5", Duration.seconds(5)), ("2.5", .milliseconds(2500)), ("0", .zero), ("250ms", .milliseconds(250)),
            ("30s", .seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7200)), ("1d", .seconds(86_400)),
            ("1h30m", .seconds(5400)), ("1.5h", .seconds(5400)),
        ])
    func durations(text: String, duration: Duration) {
        #expect(Spelling.duration(text) == duration)
    }

    @Test(
        "What is no duration is refused",
        arguments: ["", "s", "-5", "5 s", "5x", "1e9", "inf", "nan", "5s5", "1..5s", "99999999999", "9999999d", "٣s"])
    func noDurations(text: String) {
        #expect(Spelling.duration(text) == nil)
    }

    @Test(
        "A size is bytes, or a number with a unit",
        arguments: [
            ("1048576", 1_048_576), ("32MiB", 33_554_432), ("32 MiB", 33_554_432), ("512KiB", 524_288),
            ("1GiB", 1_073_741_824), ("1.5MiB", 1_572_864), ("10MB", 10_000_000), ("4m", 4_194_304),
        ])
    func sizes(text: String, bytes: Int) {
        #expect(Spelling.size(text) == bytes)
    }

    @Test("What is no size is refused", arguments: ["", "MiB", "-1", "5XiB", "1e3", "99999999999GiB"])
    func noSizes(text: String) {
        #expect(Spelling.size(text) == nil)
    }
}
