import Testing

/// Attribute values that went wrong somewhere (PEERS 2d).
enum Values {
    struct Named: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let json: String
    }

    static let all: [Named] = [
        named("38 digits", #"{"N":"12345678901234567890123456789012345678"}"#),
        named("minus 38 digits", #"{"N":"-12345678901234567890.123456789012345678"}"#),
        named("smallest", #"{"N":"1E-130"}"#),
        named("minus smallest, in full", #"{"N":"-0.\#(zeros(129))1"}"#),
        named("largest", #"{"N":"9.9999999999999999999999999999999999999E+125"}"#),
        named("minus largest", #"{"N":"-99999999999999999999999999999999999999\#(zeros(88))"}"#),
        named("2^53 + 1", #"{"N":"9007199254740993"}"#),
        named("zero", #"{"N":"0"}"#),
        named("empty string", #"{"S":""}"#),
        named("empty binary", #"{"B":""}"#),
        named("empty list", #"{"L":[]}"#),
        named("empty map", #"{"M":{}}"#),
        named("string set with an empty string", #"{"SS":["b","","a"]}"#),
        named("number set, integer and decimal", #"{"NS":["1.5","1","-3","12345678901234567890123456789012345678"]}"#),
        named("binary set with an empty element", #"{"BS":["","AAEC","/w=="]}"#),
        named("binary", #"{"B":"AAECAwQF/v8="}"#),
        named("null", #"{"NULL":true}"#),
        named("true", #"{"BOOL":true}"#),
        named("false", #"{"BOOL":false}"#),
        named("zero byte", #"{"S":"a\u0000b"}"#),
        named("escapes", #"{"S":"\"\\\/\b\f\n\r\t\u001f\u00e9\ud83e\udd91"}"#),
        named("raw UTF-8", "{\"S\":\"\u{E9} e\u{301} 🦑 \u{2028}\u{FEFF}\"}"),
        named("JSON within a string", #"{"S":"{\"new_image\":null}"}"#),
        named(
            "32 levels",
            String(repeating: #"{"L":[{"M":{"a":"#, count: 16) + #"{"S":"x"}"# + String(repeating: "}}]}", count: 16)),
    ]

    private static func named(_ name: String, _ json: String) -> Named { Named(testDescription: name, json: json) }
    private static func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
}
