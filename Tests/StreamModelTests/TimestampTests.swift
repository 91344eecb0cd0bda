import StreamModel
import Testing

@Suite("Times")
struct TimestampTests {
    @Test(
        "A time is written and read as ISO 8601 in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_440_938_160_000_000, "2015-08-30T12:36:00Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func both(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
    }

    @Test("Short forms, zones and plain seconds are understood")
    func forms() {
        let noon = Timestamp(microseconds: 1_440_936_000_000_000)
        for text in [
            "2015-08-30T12:00", "2015-08-30 12:00:00", "2015-08-30T14:00:00+02:00", "2015-08-30T07:00:00-0500",
            "1440936000",
        ] {
            #expect(Timestamp(text) == noon, "\(text)")
        }
        #expect(Timestamp("2015-08-30") == Timestamp("2015-08-30T00:00:00Z"))
        #expect(Timestamp("2015-08-30T00:00:00.5Z")?.microseconds == 1_440_892_800_500_000)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "yesterday", "2015-13-01", "2015-02-30", "2015-08-30T25:00", "2015-08-30T12:00:00.",
            "2015-08-30T12:00x", "nan",
        ])
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
