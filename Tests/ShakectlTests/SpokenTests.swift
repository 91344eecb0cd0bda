import Dispatcher
import Testing

@testable import shakectl

@Suite("Numbers, sizes and times as people read them")
struct SpokenTests {
    @Test(
        "Thousands are apart",
        arguments: [(UInt64(0), "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")])
    func counts(number: UInt64, text: String) {
        #expect(Spoken.count(number) == text)
    }

    @Test("One is not many")
    func plural() {
        #expect(Spoken.count(1, "record") == "1 record")
        #expect(Spoken.count(0, "record") == "0 records")
    }

    @Test("One dead letter waits, and more wait")
    func waiting() {
        #expect(Spoken.waiting(1) == "1 record waits as a dead letter: `shakectl dead-letters` lists it")
        #expect(Spoken.waiting(1200) == "1,200 records wait as dead letters: `shakectl dead-letters` lists them")
    }

    @Test(
        "Sizes have three digits at most",
        arguments: [
            (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (150 << 20, "150 MiB"),
            (5 << 40, "5.0 TiB"),
        ])
    func sizes(bytes: UInt64, text: String) {
        #expect(Spoken.size(bytes) == text)
    }

    @Test(
        "Durations have two units at most",
        arguments: [
            (Duration.zero, "0 s"), (.microseconds(1), "1 ms"), (.milliseconds(36), "36 ms"),
            (.milliseconds(100), "0.1 s"), (.milliseconds(3200), "3.2 s"), (.seconds(3), "3 s"), (.seconds(59), "59 s"),
            (.seconds(60), "1 min"), (.seconds(245), "4 min 5 s"), (.seconds(7800), "2 h 10 min"),
            (.seconds(273_600), "3 d 4 h"), (.seconds(3605), "1 h"), (.seconds(-5), "0 s"),
        ])
    func durations(duration: Duration, text: String) {
        #expect(Spoken.duration(duration) == text)
    }

    @Test("Times have milliseconds, always")
    func times() {
        #expect(Spoken.time(Sample.time("2026-11-23T16:32:34.123456Z")) == "2026-11-23 16:32:34.123")
        #expect(Spoken.time(Sample.time("2026-11-23T16:32:34Z")) == "2026-11-23 16:32:34.000")
    }

    @Test("A choice reads as one")
    func choices() {
        #expect(Spoken.choice([]) == "")
        #expect(Spoken.choice(["a"]) == "a")
        #expect(Spoken.choice(["a", "b", "c"]) == "a, b or c")
    }
}
