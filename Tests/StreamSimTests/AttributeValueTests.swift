import TestSupport
import Testing

@testable import StreamSim

/// Source of the rules: API Reference, AttributeValue; Developer Guide, Naming Rules and Data Types, and Quotas.
@Suite("Attribute values")
struct AttributeValueTests {
    @Test(
        "Every type is read, and written as it came",
        arguments: [
            (#"{"S":"é"}"#, "S"), (#"{"S":""}"#, "S"), (#"{"N":"-1.5"}"#, "N"), (#"{"B":"AAEC/w=="}"#, "B"),
            (#"{"B":""}"#, "B"), (#"{"BOOL":true}"#, "BOOL"), (#"{"BOOL":false}"#, "BOOL"), (#"{"NULL":true}"#, "NULL"),
            (#"{"SS":["","a"]}"#, "SS"), (#"{"NS":["-2","1","10"]}"#, "NS"), (#"{"BS":["","AA==","AAA="]}"#, "BS"),
            (#"{"L":[]}"#, "L"), (#"{"L":[{"S":"a"},{"L":[]}]}"#, "L"), (#"{"M":{}}"#, "M"),
            (#"{"M":{"a":{"M":{"b":{"NULL":true}}}}}"#, "M"),
        ])
    func types(text: String, type: String) throws {
        let value = try AttributeValue(wire: text)
        #expect(value.written == text)
        #expect(value.type == type)
    }

    @Test(
        "Equal values are equal bytes, however they came",
        arguments: [
            (#"{"N":"1.0"}"#, #"{"N":"1"}"#), (#"{"SS":["b","a"]}"#, #"{"SS":["a","b"]}"#),
            (#"{"NS":["10","9","-1.50"]}"#, #"{"NS":["-1.5","9","10"]}"#),
            (#"{"BS":["/w==","AA=="]}"#, #"{"BS":["AA==","/w=="]}"#),
            (#"{"M":{"b":{"S":"1"},"a":{"S":"2"}}}"#, #"{"M":{"a":{"S":"2"},"b":{"S":"1"}}}"#),
            (#"{"S":"\u00e9\/"}"#, #"{"S":"é/"}"#), (#"{"S":"a","N":null}"#, #"{"S":"a"}"#),
            (#"{"S":"a","X":1}"#, #"{"S":"a"}"#),
        ])
    func canonical(text: String, expected: String) throws {
        #expect(try AttributeValue(wire: text) == AttributeValue(wire: expected))
        #expect(try AttributeValue(wire: text).written == expected)
    }

    @Test(
        "What breaks a rule is a ValidationException in the service's words",
        arguments: [
            ("{}", "is empty, must contain exactly one"), (#"{"S":null}"#, "is empty, must contain exactly one"),
            (#"{"X":"a"}"#, "is empty, must contain exactly one"), (#"{"S":"a","N":"1"}"#, "more than one datatypes"),
            (#"{"N":"x"}"#, "cannot be converted to a numeric value: x"), (#"{"N":""}"#, "cannot be converted"),
            (#"{"NULL":false}"#, "must have the value of true"), (#"{"SS":[]}"#, "may not be empty"),
            (#"{"NS":[]}"#, "may not be empty"), (#"{"BS":[]}"#, "should not be empty"),
            (#"{"SS":["a","b","a"]}"#, "Input collection [a, b, a] contains duplicates."),
            (#"{"NS":["1","1.0"]}"#, "Input collection contains duplicates"),
            (#"{"BS":["AA==","AA=="]}"#, "Input collection [AA==, AA==]of type BS contains duplicates."),
            (#"{"NS":["1","x"]}"#, "cannot be converted"), (#"{"L":[{"SS":[]}]}"#, "may not be empty"),
            (#"{"M":{"a":{"NULL":false}}}"#, "must have the value of true"), (#"{"M":{"":{"S":"a"}}}"#, "name"),
        ])
    func refused(text: String, words: String) throws {
        let json = try JSON.read(text)
        let error = #expect(throws: ServiceError.self) { try AttributeValue(json) }
        #expect(error?.code == "ValidationException")
        #expect(error?.status == 400)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(
        "Another JSON type than the API's is a SerializationException",
        arguments: [
            "1", "[]", #""S""#, "null", #"{"S":1}"#, #"{"S":true}"#, #"{"S":["a"]}"#, #"{"S":{}}"#, #"{"N":123}"#,
            #"{"N":1.5}"#, #"{"B":1}"#, #"{"BOOL":"true"}"#, #"{"NULL":1}"#, #"{"SS":"a"}"#, #"{"SS":[1]}"#,
            #"{"SS":[null]}"#, #"{"NS":[1]}"#, #"{"L":{}}"#, #"{"L":["a"]}"#, #"{"M":[]}"#, #"{"M":{"a":"b"}}"#,
            #"{"B":"A"}"#, #"{"B":"AA"}"#, #"{"B":"AA=A"}"#, #"{"B":"===="}"#, #"{"B":"A==="}"#, #"{"B":"AB=="}"#,
            #"{"B":"AAB="}"#, #"{"B":"AA-_"}"#, #"{"B":"AA\nA"}"#, #"{"B":"AA==AAAA"}"#,
        ])
    func types(text: String) throws {
        let json = try JSON.read(text)
        let error = #expect(throws: ServiceError.self) { try AttributeValue(json) }
        #expect(error?.code == "SerializationException")
    }

    @Test("Every number of bytes survives base64")
    func base64() throws {
        for count in 0..<70 {
            let value = AttributeValue.binary((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 251) })
            #expect(try AttributeValue(wire: value.written) == value)
        }
        #expect(AttributeValue.binary(Array("foobar".utf8)).written == #"{"B":"Zm9vYmFy"}"#)
        #expect(AttributeValue.binary(Array("foob".utf8)).written == #"{"B":"Zm9vYg=="}"#)
    }

    @Test("32 levels are taken, and no more")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            (0..<levels).reduce(#"{"S":"x"}"#) { inner, level in
                level.isMultiple(of: 2) ? #"{"L":[\#(inner)]}"# : #"{"M":{"a":\#(inner)}}"#
            }
        }
        let deepest = try AttributeValue(wire: nested(32))
        #expect(deepest.depth == 32)
        #expect(refusal { _ = try AttributeValue(wire: nested(33)) }?.contains("Nesting Levels") == true)
        // An item's own level does not count.
        _ = try Attributes(#"{"a":\#(nested(32))}"#)
        #expect(refusal { _ = try Attributes(#"{"a":\#(nested(33))}"#) }?.contains("Nesting Levels") == true)
    }

    @Test(
        "The size is the guide's",
        arguments: [
            (#"{"S":"aé"}"#, 3), (#"{"B":"AAEC"}"#, 3), (#"{"BOOL":true}"#, 1), (#"{"NULL":true}"#, 1),
            (#"{"N":"12"}"#, 2),
            (#"{"SS":["a","bc"]}"#, 3), (#"{"NS":["1","12"]}"#, 4), (#"{"BS":["AA==","AAA="]}"#, 3), (#"{"L":[]}"#, 3),
            (#"{"L":[{"S":"ab"},{"BOOL":true}]}"#, 8), (#"{"M":{}}"#, 3), (#"{"M":{"ab":{"S":"cd"}}}"#, 8),
        ])
    func size(text: String, size: Int) throws { #expect(try AttributeValue(wire: text).size == size) }

    @Test("What is written is read again as it was", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for _ in 0..<500 {
            let value = values.value()
            let again = try AttributeValue(wire: value.written)
            #expect(again == value, "SHAKE_SEED=\(seed)")
            #expect(again.hashValue == value.hashValue)
            #expect(
                try JSON(parsing: Array(value.written.utf8)) == value.json, "as a part of a larger reply it is the same"
            )
        }
    }

    @Test("No JSON traps", arguments: Seeds.all)
    func damage(seed: UInt64) {
        var values = RandomValues(seed: seed)
        for _ in 0..<2000 {
            let type = values.pick(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"] as [Text])
            guard let value = try? AttributeValue([type: values.json()] as JSON) else { continue }
            #expect((try? AttributeValue(wire: value.written)) == value, "SHAKE_SEED=\(seed)")
        }
    }
}
