import StreamSim
import TestSupport
import Testing

@Suite("Attributes")
struct AttributesTests {
    @Test("They are in the order of their names' bytes, however they came")
    func order() throws {
        let item = try Attributes(#"{"b":{"S":"1"},"é":{"S":"2"},"B":{"S":"3"},"a":{"S":"4"},"ba":{"S":"5"}}"#)
        #expect(item.names == ["B", "a", "b", "ba", "é"])
        #expect(item.map(\.name) == item.names)
        #expect(item.written == #"{"B":{"S":"3"},"a":{"S":"4"},"b":{"S":"1"},"ba":{"S":"5"},"é":{"S":"2"}}"#)
        let literal: Attributes = ["a": "4", "é": "2", "ba": "5", "b": "1", "B": "3"]
        #expect(item == literal)
    }

    @Test("A value is found, replaced, added and removed by its name")
    func values() {
        var item: Attributes = ["b": 1, "d": 2]
        #expect(item["b"] == 1)
        #expect(item["a"] == nil)
        for name in ["a", "c", "e"] as [Text] { item[name] = "new" }
        item["b"] = "other"
        item["d"] = nil
        item["x"] = nil
        #expect(item == ["a": "new", "b": "other", "c": "new", "e": "new"])
        #expect(item.count == 4)
        #expect(!item.isEmpty && Attributes().isEmpty)
    }

    @Test("The size counts names and values")
    func size() {
        let item: Attributes = ["id": "abc", "é": 12]
        #expect(item.size == 2 + 3 + 2 + 2)
        #expect(Attributes().size == 0)
    }

    @Test("A name has between 1 and 65535 bytes")
    func names() throws {
        let longest = String(repeating: "x", count: 65535)
        _ = try Attributes("{\"\(longest)\":{\"S\":\"\"}}")
        #expect(refusal { _ = try Attributes("{\"\(longest)x\":{\"S\":\"\"}}") }?.contains("65536") == true)
        #expect(refusal { _ = try Attributes(#"{"":{"S":""}}"#) } != nil)
    }

    @Test("What is no object, or has a name twice, is refused")
    func refused() {
        for json in [JSON.null, "a", [], 1] { #expect(throws: ServiceError.self) { try Attributes(json) } }
        let twice: JSON = ["b": ["S": "1"], "a": ["S": "1"], "b": ["S": "1"]]
        #expect(throws: ServiceError.self) { try Attributes(twice) }
    }

    @Test("What is written is read again as it was", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for _ in 0..<500 {
            let item = values.attributes()
            #expect(try Attributes(JSON(parsing: item.bytes)) == item, "SHAKE_SEED=\(seed)")
        }
    }
}
