import MongoC
import Simdjson
import StreamModel
import Targets
import TestSupport
import Testing

@testable import MongoDBTarget

@Suite("Items as documents")
struct FormatTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        let value: String
        /// Extended JSON of the field `v`, by format.
        let typed: String
        let plain: String
        let raw: String
        let change: String
        let mchange: String

        var testDescription: String { value }

        func field(_ layout: DocumentFormat.Layout) -> String {
            switch layout {
            case .typed: typed
            case .plain: plain
            case .raw: raw
            case .change: change
            case .mchange: mchange
            }
        }
    }

    private static func golden(
        _ value: String, typed: String, plain: String, raw: String? = nil, change: String? = nil, mchange: String? = nil
    ) -> Golden {
        Golden(
            value: value, typed: typed, plain: plain, raw: raw ?? typed, change: change ?? plain, mchange: mchange ?? plain)
    }

    private static func long(_ number: String) -> String { #"{"$numberLong": "\#(number)"}"# }
    private static func decimal(_ number: String) -> String { #"{"$numberDecimal": "\#(number)"}"# }
    private static func double(_ number: String) -> String { #"{"$numberDouble": "\#(number)"}"# }
    private static func binary(_ base64: String) -> String { #"{"$binary": {"base64": "\#(base64)", "subType": "00"}}"# }
    private static let digits38 = "12345678901234567890123456789012345678"
    private static let digits34 = "1234567890123456789012345678901234"

    private static let goldens: [Golden] = [
        golden(#"{"S":"x"}"#, typed: #"{"S": "x"}"#, plain: #""x""#),
        golden(#"{"S":""}"#, typed: #"{"S": ""}"#, plain: #""""#),
        golden(
            #"{"N":"5"}"#, typed: #"{"N": \#(long("5"))}"#, plain: long("5"), raw: #"{"N": "5"}"#, mchange: double("5.0")),
        golden(
            #"{"N":"-0.0"}"#, typed: #"{"N": \#(long("0"))}"#, plain: long("0"), raw: #"{"N": "0"}"#, mchange: double("0.0")),
        golden(
            #"{"N":"9007199254740993"}"#, typed: #"{"N": \#(long("9007199254740993"))}"#, plain: long("9007199254740993"),
            raw: #"{"N": "9007199254740993"}"#, mchange: decimal("9007199254740993")),
        golden(
            #"{"N":"-9223372036854775808"}"#, typed: #"{"N": \#(long("-9223372036854775808"))}"#,
            plain: long("-9223372036854775808"), raw: #"{"N": "-9223372036854775808"}"#,
            mchange: decimal("-9223372036854775808")),
        golden(
            #"{"N":"9223372036854775808"}"#, typed: #"{"N": \#(decimal("9223372036854775808"))}"#,
            plain: decimal("9223372036854775808"), raw: #"{"N": "9223372036854775808"}"#,
            mchange: decimal("9223372036854775808")),
        golden(
            #"{"N":"1E+3"}"#, typed: #"{"N": \#(long("1000"))}"#, plain: long("1000"), raw: #"{"N": "1000"}"#,
            mchange: double("1000.0")),
        golden(
            #"{"N":"0.10"}"#, typed: #"{"N": \#(decimal("0.1"))}"#, plain: decimal("0.1"), raw: #"{"N": "0.1"}"#,
            mchange: double("0.10000000000000000555")),
        golden(
            #"{"N":"\#(digits34)"}"#, typed: #"{"N": \#(decimal(digits34))}"#, plain: decimal(digits34),
            raw: #"{"N": "\#(digits34)"}"#),
        golden(
            #"{"N":"1E-130"}"#, typed: #"{"N": \#(decimal("1E-130"))}"#, plain: decimal("1E-130"),
            raw: #"{"N": "0.\#(String(repeating: "0", count: 129))1"}"#, mchange: double("1E-130")),
        golden(
            #"{"B":"AAEC"}"#, typed: #"{"B": \#(binary("AAEC"))}"#, plain: binary("AAEC")),
        golden(#"{"B":""}"#, typed: #"{"B": \#(binary(""))}"#, plain: binary("")),
        golden(#"{"BOOL":false}"#, typed: #"{"BOOL": false}"#, plain: "false"),
        golden(#"{"NULL":true}"#, typed: #"{"NULL": true}"#, plain: "null"),
        golden(#"{"SS":["b","","a"]}"#, typed: #"{"SS": ["b", "", "a"]}"#, plain: #"["", "a", "b"]"#),
        golden(
            #"{"NS":["1.5","10","1"]}"#, typed: #"{"NS": [\#(decimal("1.5")), \#(long("10")), \#(long("1"))]}"#,
            plain: #"[\#(long("1")), \#(decimal("1.5")), \#(long("10"))]"#, raw: #"{"NS": ["1.5", "10", "1"]}"#,
            mchange: #"[\#(double("1.0")), \#(double("1.5")), \#(double("10.0"))]"#),
        golden(
            #"{"BS":["AQ==",""]}"#, typed: #"{"BS": [\#(binary("AQ==")), \#(binary(""))]}"#,
            plain: #"[\#(binary("")), \#(binary("AQ=="))]"#),
        golden(#"{"L":[]}"#, typed: #"{"L": []}"#, plain: "[]"),
        golden(#"{"M":{}}"#, typed: #"{"M": {}}"#, plain: "{}"),
        golden(
            #"{"L":[{"S":"x"},{"L":[{"NULL":true}]}]}"#, typed: #"{"L": [{"S": "x"}, {"L": [{"NULL": true}]}]}"#,
            plain: #"["x", [null]]"#),
        golden(
            #"{"M":{"$a.b":{"M":{"":{"BOOL":true}}}}}"#,
            typed: #"{"M": {"%24a%2Eb": {"M": {"%": {"BOOL": true}}}}}"#, plain: #"{"%24a%2Eb": {"%": true}}"#),
        golden(
            #"{"M":{"_id":{"S":"x"},"_shake":{"S":"y"}}}"#,
            typed: #"{"M": {"_id": {"S": "x"}, "_shake": {"S": "y"}}}"#, plain: #"{"_id": "x", "_shake": "y"}"#,
            raw: #"{"M": {"pre_id": {"S": "x"}, "_shake": {"S": "y"}}}"#, change: #"{"pre_id": "x", "_shake": "y"}"#),
    ]

    @Test("Each type has its place in each format", arguments: goldens, FormatSample.layouts)
    func places(golden: Golden, layout: DocumentFormat.Layout) throws {
        let format = DocumentFormat(layout)
        let document = try FormatSample.document(#"{"v":\#(golden.value)}"#, format)
        let identifier = layout.isNimoShakes ? "" : #""_id": "a", "#
        #expect(document == (try FormatSample.json(#"{\#(identifier)"v": \#(golden.field(layout))}"#)), "\(document.extendedJSON)")
        let item = try FormatSample.item(Array(#"{"v":\#(golden.value)}"#.utf8))
        #expect(try FormatSample.item(document, format) == format.kept(item))
    }

    @Test("38 digits are a text with types, and without them refused or a text, as is said")
    func digits() throws {
        let item = #"{"a":{"L":[{"M":{"b":{"N":"\#(Self.digits38)"}}}]},"ns":{"NS":["1"]}}"#
        let typed = try FormatSample.document(item, DocumentFormat(.typed))
        #expect(typed.extendedJSON.contains(#"{ "N" : "\#(Self.digits38)" }"#))
        let raw = try FormatSample.document(item, DocumentFormat(.raw))
        #expect(raw.extendedJSON.contains(#"{ "N" : "\#(Self.digits38)" }"#))
        for layout in [DocumentFormat.Layout.plain, .change, .mchange] {
            #expect(throws: FormatError.inexact(attribute: "a[0].b", number: Self.digits38)) {
                try FormatSample.document(item, DocumentFormat(layout))
            }
            let format = DocumentFormat(layout, inexact: .string)
            let document = try FormatSample.document(item, format)
            #expect(document.extendedJSON.contains(#"{ "b" : "\#(Self.digits38)" }"#))
            let read = try FormatSample.item(document, format)
            #expect(read == format.kept(try FormatSample.item(Array(item.utf8))))
            #expect(read[Array("a".utf8)] == .list([.map([Array("b".utf8): .string(Array(Self.digits38.utf8))])]))
            #expect(throws: FormatError.inexact(attribute: "ns", number: Self.digits38)) {
                try FormatSample.document(#"{"ns":{"NS":["\#(Self.digits38)","1"]}}"#, DocumentFormat(layout))
            }
        }
    }

    @Test("Every value that went wrong somewhere comes back", arguments: Values.all, FormatSample.layouts)
    func values(value: Values.Named, layout: DocumentFormat.Layout) throws {
        let format = DocumentFormat(layout, inexact: .string)
        let item = Array(#"{"id":{"S":"a"},"v":\#(value.json)}"#.utf8)
        let json = try DocumentReader(format).item(of: try FormatSample.document(item, format))
        let kept = format.kept(try FormatSample.item(item))
        #expect(try FormatSample.item(json) == kept)
        if layout.hasTypes {
            // By the tests' own reader.
            #expect(try WireValue.item(json) == (try WireValue.item(item)))
        }
    }

    @Test("Items by chance come back as the format keeps them", arguments: Seeds.and(7, 8, 9), FormatSample.layouts)
    func random(seed: UInt64, layout: DocumentFormat.Layout) throws {
        let format = DocumentFormat(layout, inexact: .string)
        var items = RandomItem(seed: seed)
        for _ in 0..<400 {
            let item = items.next()
            let json = ItemJSON.of(item)
            try #require(try FormatSample.item(json) == item, "what the tests write is read as it was meant")
            let document = try FormatSample.document(json, format)
            let fields = document.filter { !$0.name.elementsEqual("_id".utf8) }
            try #require(Set(fields.map { Array($0.name) }).count == item.count, "no two names are one field")
            let read = try FormatSample.item(document, format)
            try #require(
                read == format.kept(item),
                "SHAKE_SEED=\(seed): \(String(decoding: json, as: UTF8.self)) as \(document.extendedJSON)")
            if layout.hasTypes { try #require(read == item) }
        }
    }

    @Test("Every number is exactly what it was, whatever it becomes", arguments: Seeds.all, FormatSample.layouts)
    func numbers(seed: UInt64, layout: DocumentFormat.Layout) throws {
        var items = RandomItem(seed: seed)
        var kinds: Set<String> = []
        for _ in 0..<3000 {
            let number = items.number()
            let form = NumberForm(canonical: number, layout)
            #expect(NumberForm(number.span, layout) == form)
            let document = Document { writer in
                writer.name("v")
                form.write(to: &writer)
            }
            let value = try #require(document["v"])
            #expect(NumberForm.text(of: value) == number, "\(form)")
            switch form {
            case .int64: kinds.insert("int64")
            case .double: kinds.insert("double")
            case .decimal: kinds.insert("decimal")
            case .text: kinds.insert("text")
            }
        }
        switch layout {
        case .typed, .plain, .change: #expect(kinds == ["int64", "decimal", "text"])
        case .raw: #expect(kinds == ["text"])
        case .mchange: #expect(kinds == ["double", "decimal", "text"])
        }
    }

    @Test("What is no item is none, and the attribute is named")
    func broken() {
        func problem(_ item: String) -> String {
            do {
                _ = try FormatSample.document(item, DocumentFormat())
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(problem(#"{"a":{"L":[{"S":"x"},{"N":"1x"}]}}"#) == "the attribute a[1] has 1x, which is no number that DynamoDB can hold")
        #expect(problem(#"{"a":{"N":"1E126"}}"#).contains("no number that DynamoDB can hold"))
        #expect(problem(#"{"a":{"X":"1"}}"#).hasPrefix("the attribute a "))
        #expect(problem(#"{"a":"#) != "none")
        #expect(problem("[]") != "none")
    }

    @Test(
        "A document that nothing here has made is named by its field",
        arguments: [
            (DocumentFormat.Layout.typed, #"{"a": 5}"#, "a"), (.typed, #"{"a": {"N": "x"}}"#, "a.N"), (.typed, #"{"a": {}}"#, "a"),
            (.typed, #"{"a": {"S": "x", "N": 1}}"#, "a"), (.typed, #"{"a": {"Q": "x"}}"#, "a"),
            (.typed, #"{"a": {"L": [{"S": 5}]}}"#, "a.L[0].S"), (.typed, #"{"a": {"SS": ["x", 5]}}"#, "a.SS[1]"),
            (.typed, #"{"a": {"NULL": false}}"#, "a.NULL"), (.typed, #"{"100%": {"S": "x"}}"#, "100%"),
            (.raw, #"{"a": {"L": {}}}"#, "a.L"), (.plain, #"{"a": {"b": {"$oid": "000102030405060708090a0b"}}}"#, "a.b"),
            (.plain, #"{"a": [{"$numberDouble": "NaN"}]}"#, "a[0]"), (.change, #"{"a": {"$numberDecimal": "1E+200"}}"#, "a"),
        ])
    func foreign(layout: DocumentFormat.Layout, document: String, field: String) throws {
        let document = try FormatSample.json(document)
        do {
            _ = try DocumentReader(DocumentFormat(layout)).item(of: document)
            Issue.record("it was read")
        } catch {
            guard case .foreign(field: field, problem: _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("Numbers that an operator has typed into a shell are numbers")
    func typedByHand() throws {
        let document = try FormatSample.json(#"{"_id": "a", "a": {"N": 5}, "b": {"N": {"$numberDouble": "0.1"}}, "_shake": {"epoch": 1}}"#)
        let json = try DocumentReader(DocumentFormat()).item(of: document)
        #expect(String(decoding: json, as: UTF8.self) == #"{"a":{"N":"5"},"b":{"N":"0.1"}}"#)
    }

    @Test("What NimoShake has written is read, where it has kept enough")
    func nimoShakes() throws {
        let change = try FormatSample.json(
            #"{"_id": {"$oid": "000102030405060708090a0b"}, "id": "a", "pre_id": 5, "n": {"$numberDecimal": "1.50"}, "a.b": [1, "x"]}"#)
        #expect(
            String(decoding: try DocumentReader(DocumentFormat(.change)).item(of: change), as: UTF8.self)
                == #"{"id":{"S":"a"},"_id":{"N":"5"},"n":{"N":"1.5"},"a.b":{"L":[{"N":"1"},{"S":"x"}]}}"#)
        let mchange = try FormatSample.json(
            #"{"_id": {"$oid": "000102030405060708090a0b"}, "price": {"$numberDouble": "0.1"}, "50%": {"_id": null}}"#)
        #expect(
            String(decoding: try DocumentReader(DocumentFormat(.mchange)).item(of: mchange), as: UTF8.self)
                == #"{"price":{"N":"0.1"},"50%":{"M":{"_id":{"NULL":true}}}}"#)
        // What was empty has lost what it was: it is left out, and so differs from whatever the source has.
        let raw = try FormatSample.json(
            #"{"_id": 1, "id": {"S": "a"}, "lost": {}, "m": {"M": {"n": {"N": "1E+2"}, "l": {"L": [{}, {"S": "x"}]}}}}"#)
        #expect(
            String(decoding: try DocumentReader(DocumentFormat(.raw)).item(of: raw), as: UTF8.self)
                == #"{"id":{"S":"a"},"m":{"M":{"n":{"N":"100"},"l":{"L":[{"S":"x"}]}}}}"#)
    }

    @Test("A change's stamp stands beside the item, and is no attribute")
    func stamp() throws {
        let origin = Batch.Origin.shard(
            Feed.key(of: FormatSample.table, shard: "shardId-1"), epoch: Epoch(3), upTo: Feed.number(7))
        let place = ByteRange(offset: 0, count: 0)
        let change = Change(
            kind: .insert, sequenceNumber: SequenceNumber("123"), approximateTime: nil, keys: place, newImage: place, oldImage: nil)
        let stamp = try #require(WriteStamp(change, of: origin))
        let document = try FormatSample.document(#"{"_shake":{"S":"x"}}"#, DocumentFormat(), stamp: stamp)
        #expect(
            document
                == (try FormatSample.json(
                    #"""
                    {"_id": "a", "_shake": {"shard": "shardId-1", "epoch": {"$numberLong": "3"},
                    "sequence_number": "0000000000000000000000000000000000000123"}, "%5Fshake": {"S": "x"}}
                    """#)))
        #expect(try FormatSample.item(document, DocumentFormat()) == [Array("_shake".utf8): .string([0x78])])
        #expect(WriteStamp(change, of: .repair) == nil)
    }

    @Test("An option that says nothing in a format is refused")
    func options() throws {
        func format(_ entries: (String, String)...) throws -> DocumentFormat {
            try DocumentFormat(
                TargetOptions(entries.map { .init(path: [$0.0], value: $0.1) }), target: "mongodb:")
        }
        #expect(try format() == DocumentFormat(.typed))
        #expect(try format(("format", "plain"), ("inexact", "string")) == DocumentFormat(.plain, inexact: .string))
        #expect(try format(("format", "raw"), ("id_prefix", "x")) == DocumentFormat(.raw, prefix: "x"))
        #expect(throws: TargetError.self) { try format(("inexact", "string")) }
        #expect(throws: TargetError.self) { try format(("format", "raw"), ("inexact", "string")) }
        #expect(throws: TargetError.self) { try format(("format", "plain"), ("id_prefix", "x")) }
        for prefix in ["", ".", "a%", "$x"] {
            #expect(throws: TargetError.self) { try format(("format", "change"), ("id_prefix", prefix)) }
        }
    }
}
