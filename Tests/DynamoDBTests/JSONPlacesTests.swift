import DynamoDB
import Testing

@Suite("Places in JSON")
struct JSONPlacesTests {
    private static func members(_ text: String) -> [[String]]? {
        let bytes = Array(text.utf8)
        return JSONPlaces.members(of: 0..<bytes.count, in: bytes)?.map { member in
            [
                String(decoding: member.name, as: UTF8.self), String(decoding: bytes[member.whole], as: UTF8.self),
                String(decoding: bytes[member.value], as: UTF8.self),
            ]
        }
    }

    @Test("Members are found whatever stands in their values, with what space there is")
    func members() {
        #expect(Self.members("{}") == [])
        #expect(Self.members(" { } ") == [])
        #expect(
            Self.members(#"{ "a" : {"}":[1,"]{"]} ,"b\"":"\\","c":-1.5e3,"d":[], "e":null}"#) == [
                ["a", #""a" : {"}":[1,"]{"]}"#, #"{"}":[1,"]{"]}"#], ["b\"", #""b\"":"\\""#, #""\\""#],
                ["c", #""c":-1.5e3"#, "-1.5e3"], ["d", #""d":[]"#, "[]"], ["e", #""e":null"#, "null"],
            ])
    }

    @Test(
        "Escapes in names are undone",
        arguments: [
            (#"\u0061\u00e9"#, "a\u{E9}"), (#"\ud83e\udd91"#, "🦑"), (#"\/\b\f\n\r\t\\"#, "/\u{8}\u{C}\n\r\t\\"),
        ])
    func names(escaped: String, name: String) {
        #expect(Self.members("{\"\(escaped)\":1}")?.first?.first == name)
    }

    @Test(
        "What is no object, or is cut off, has no members",
        arguments: [
            "", "[]", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1,"#, #"{"a":1 "b":2}"#, #"{"a":{"b":1}"#,
            #"{"\ud83e":1}"#,
            #"{"\u00":1}"#, #"{"a":"\"}"#, "nonsense",
        ])
    func damaged(text: String) { #expect(Self.members(text) == nil) }

    @Test("Elements are found, and the last member of a name is its value")
    func elements() {
        let bytes = Array(#"{"a":1,"l":[ {"x":[1]} , 2,"]"],"a":22}"#.utf8)
        let list = JSONPlaces.value(of: "l", in: 0..<bytes.count, bytes)
        let found = list.flatMap { JSONPlaces.elements(of: $0, in: bytes) }
        #expect(found?.map { String(decoding: bytes[$0], as: UTF8.self) } == [#"{"x":[1]}"#, "2", #""]""#])
        let last = JSONPlaces.value(of: "a", in: 0..<bytes.count, bytes)
        #expect(last.map { String(decoding: bytes[$0], as: UTF8.self) } == "22")
        #expect(JSONPlaces.elements(of: 0..<bytes.count, in: bytes) == nil)
    }
}
