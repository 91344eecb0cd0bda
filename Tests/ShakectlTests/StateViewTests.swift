import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The state of a shard")
struct StateViewTests {
    @Test("The JSON has the promised fields, in order")
    func json() {
        var checkpoint = Sample.shard("a", parent: "p", at: "0042", made: Sample.time("2026-11-23T16:29:00Z"))
        checkpoint.worker = "h/1"
        checkpoint.epoch = Epoch(2)
        checkpoint.revision = Revision(9)
        #expect(
            StateView(checkpoint: checkpoint).json.line == """
                {"table":"orders","stream":"\(Sample.stream)","shard":"a","parent":"p","status":"in_processing",\
                "iterator_type":"AFTER_SEQUENCE_NUMBER","sequence_number":"0042","epoch":2,"revision":9,"position":7,\
                "worker":"h/1","approximate_time":"2026-11-23T16:29:00Z","updated":"2026-11-23T16:29:58Z",\
                "accounted_until":null,"loss":null,"dead_letters":[],"imported":false,"folded":null}
                """)
    }

    @Test("A shard of which nothing was read has nulls, not gaps")
    func empty() {
        let line = StateView(checkpoint: Sample.shard("a", .notProcessed)).json.line
        #expect(line.contains(#""parent":null"#))
        #expect(line.contains(#""sequence_number":null"#))
        #expect(line.contains(#""iterator_type":"TRIM_HORIZON""#))
        #expect(line.contains(#""worker":null,"approximate_time":null"#))
    }

    @Test("The text says the place in words, and aligns")
    func text() {
        let lines = StateView(checkpoint: Sample.shard("a", at: "42")).lines(.plain)
        #expect(lines.contains("shard             a"))
        #expect(lines.contains("place             after 42"))
        #expect(lines.contains("last record made  none read"))
    }
}
