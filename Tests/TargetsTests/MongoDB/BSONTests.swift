import MongoC
import TestSupport
import Testing

@Suite("BSON")
struct BSONTests {
    /// Each type, read by libbson from what is written here.
    @Test(
        "What is written here libbson reads",
        arguments: [
            (#"{ "a" : "x" }"#, Document { $0.name("a"); $0.string("x") }),
            (#"{ "" : "" }"#, Document { $0.name(""); $0.string([]) }),
            (#"{ "a" : { "$numberInt" : "-7" } }"#, Document { $0.name("a"); $0.int32(-7) }),
            (#"{ "a" : { "$numberLong" : "-9223372036854775808" } }"#, Document { $0.name("a"); $0.int64(.min) }),
            (#"{ "a" : { "$numberDouble" : "1.5" } }"#, Document { $0.name("a"); $0.double(1.5) }),
            (#"{ "a" : true, "b" : false }"#, Document { $0.name("a"); $0.bool(true); $0.name("b"); $0.bool(false) }),
            (#"{ "a" : null }"#, Document { $0.name("a"); $0.null() }),
            (
                #"{ "a" : { "$binary" : { "base64" : "AAEC", "subType" : "00" } } }"#,
                Document { $0.name("a"); $0.binary([0, 1, 2]) }
            ),
            (
                #"{ "a" : { "$oid" : "000102030405060708090a0b" } }"#,
                Document { $0.name("a"); $0.objectID(ObjectID(Array(0...11)) ?? ObjectID()) }
            ),
            (
                #"{ "a" : { "$date" : { "$numberLong" : "-1" } } }"#,
                Document { $0.name("a"); $0.date(milliseconds: -1) }
            ),
            (
                #"{ "a" : { "$numberDecimal" : "-12.50" } }"#,
                Document { $0.name("a"); _ = $0.decimal128(exactly: Array("-12.50".utf8).span) }
            ),
            (
                #"{ "a" : { "b" : { "c" : { "$numberInt" : "1" } }, "d" : [  ] }, "e" : [ [ null ], {  } ] }"#,
                Document {
                    $0.name("a")
                    $0.beginDocument()
                    $0.name("b")
                    $0.document(Document { $0.name("c"); $0.int32(1) })
                    $0.name("d")
                    $0.beginArray()
                    $0.end()
                    $0.end()
                    $0.name("e")
                    $0.beginArray()
                    $0.array(Document { $0.name("0"); $0.null() })
                    $0.beginDocument()
                    $0.end()
                    $0.end()
                }
            ),
        ])
    func written(json: String, document: Document) throws {
        #expect(document.extendedJSON == json)
        #expect(try Document(document.bytes) == document)
        // As libbson itself would write it.
        #expect(try Document(extendedJSON: json) == document)
    }

    @Test("The elements of an array are numbered by the writer")
    func arrays() throws {
        let document = Document { writer in
            writer.name("a")
            writer.beginArray()
            for number in 0..<1234 { writer.int32(Int32(number)) }
            writer.end()
        }
        let array = try #require(document["a"]?.array)
        #expect(array.names == (0..<1234).map { Array("\($0)".utf8) })
        #expect(array.values == (0..<1234).map { .int32($0) })
    }

    @Test("A text may hold U+0000, and what is read is what was written")
    func texts() throws {
        let text: [UInt8] = [0, 0x61, 0, 0xC3, 0xA9, 0]
        let document = Document { $0.name([0xC3, 0xA9]); $0.string(text); $0.name("e\u{301}"); $0.string("b") }
        let read = try Document(document.bytes)
        #expect(read[[0xC3, 0xA9] as [UInt8]] == .string(text))
        #expect(read["e\u{301}"]?.text == "b")
        #expect(read.names == [[0xC3, 0xA9], [0x65, 0xCC, 0x81]])
    }

    @Test("Every type that libbson writes can be read, and written again byte by byte")
    func everyType() throws {
        let document = try Document(
            extendedJSON: #"""
                {"a": 1.5, "b": "x", "c": {"d": []}, "e": [1, {"$numberLong": "2"}], "f": {"$binary": {"base64": "AA==", "subType": "80"}},
                "g": {"$undefined": true}, "h": {"$oid": "000102030405060708090a0b"}, "i": true, "j": {"$date": "2026-01-01T00:00:00Z"},
                "k": null, "l": {"$regularExpression": {"pattern": "a", "options": "i"}}, "m": {"$dbPointer": {"$ref": "a", "$id":
                {"$oid": "000102030405060708090a0b"}}}, "n": {"$code": "x"}, "o": {"$symbol": "s"},
                "p": {"$code": "x", "$scope": {"y": 1}}, "q": {"$timestamp": {"t": 1, "i": 2}}, "r": {"$numberDecimal": "1E-130"},
                "s": {"$minKey": 1}, "t": {"$maxKey": 1}, "u": {"$numberInt": "-1"}}
                """#)
        let again = Document { writer in
            for element in document {
                writer.name(Array(element.name))
                writer.value(element.value)
            }
        }
        #expect(again == document)
        #expect(document["f"] == .binary([0], subtype: 0x80))
        #expect(document["q"] == .timestamp(1 << 32 | 2))
        #expect(document["r"] == .decimal128(try decimal("1E-130")))
        #expect(document["c", "d"]?.array?.isEmpty == true)
        #expect(document["e"]?.array?.values.map(\.integer) == [1, 2])
        #expect(document["nothing"] == nil)
    }

    @Test("Damaged bytes are refused, or can be read all the same", arguments: Seeds.all)
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = Document { writer in
            writer.name("a")
            writer.beginArray()
            writer.string("xyz")
            writer.binary([1, 2])
            writer.beginDocument()
            writer.name("n")
            writer.int64(5)
            writer.end()
            writer.end()
            writer.name("b")
            writer.bool(true)
        }
        var accepted = 0
        for _ in 0..<5000 {
            var bytes = whole.bytes
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0..<32, using: &generator)
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            }
            guard let document = try? Document(bytes) else { continue }
            accepted += 1
            walk(document)
        }
        #expect(accepted > 0 && accepted < 5000)
        for bytes in [[], [5], [5, 0, 0, 0], [5, 0, 0, 0, 1], [4, 0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0], whole.bytes + [0]] as [[UInt8]] {
            #expect(throws: BSONError.self) { try Document(bytes) }
        }
    }

    private func walk(_ document: Document) {
        for element in document {
            switch element.value {
            case .document(let inner), .array(let inner): walk(inner)
            default: continue
            }
        }
    }

    @Test("A text that is no UTF-8 is refused")
    func notUTF8() {
        let document = Document { $0.name("a"); $0.string([0xC3]) }
        #expect(throws: BSONError.self) { try Document(document.bytes) }
    }

    @Test("A name that would end too early traps, and so does a value without a name")
    func traps() async {
        await #expect(processExitsWith: .failure) { _ = Document { $0.name([0x61, 0]); $0.null() } }
        await #expect(processExitsWith: .failure) { _ = Document { $0.null() } }
        await #expect(processExitsWith: .failure) { _ = Document { $0.name("a") } }
        await #expect(processExitsWith: .failure) { _ = Document { $0.name("a"); $0.beginArray() } }
    }

    @Test("Generated ids differ")
    func objectIDs() {
        let ids = (0..<1000).map { _ in ObjectID() }
        #expect(Set(ids).count == 1000)
        #expect(ids.allSatisfy { $0.bytes.count == 12 && $0.description.count == 24 })
    }

    // MARK: Decimal128

    private func decimal(_ text: String) throws -> Decimal128 {
        try #require(Decimal128(exactly: Array(text.utf8)), "\(text)")
    }

    /// What libbson makes of a text.
    private func byLibbson(_ text: String) throws -> BSONValue? {
        try Document(extendedJSON: #"{"a": {"$numberDecimal": "\#(text)"}}"#)["a"]
    }

    @Test(
        "A decimal is the one that libbson makes of the text, and is shown alike",
        arguments: [
            "0", "-0", "0.0", "0.000", "1", "-1", "12.50", "100", "0.001", "0.0000001", "1E-130", "-1E-130", "1E+6111", "1E-6176",
            "9.999999999999999999999999999999999E+125", "9.999999999999999999999999999999999E-97", "1E+125",
            "1234567890123456789012345678901234", "0.1234567890123456789012345678901234", "9223372036854775808", "0E+3", "5E+3",
            "-1234.5678E-20",
        ])
    func decimals(text: String) throws {
        let ours = try decimal(text)
        #expect(try byLibbson(text) == .decimal128(ours))
        let document = Document { $0.name("a"); $0.decimal128(ours) }
        #expect(document.extendedJSON == #"{ "a" : { "$numberDecimal" : "\#(ours)" } }"#)
    }

    @Test(
        "What a decimal can not hold exactly is none",
        arguments: [
            "", "-", ".", "x", "1x", "1e", "1e+", "1E999999", "--1", "1.1.1", "NaN", "Infinity",
            "12345678901234567890123456789012345", "0.12345678901234567890123456789012345", "1E+6145", "1E-6177",
        ])
    func noDecimals(text: String) {
        #expect(Decimal128(exactly: Array(text.utf8)) == nil)
        var isWritten = true
        let document = Document { writer in
            writer.name("a")
            isWritten = writer.decimal128(exactly: Array(text.utf8).span)
            if !isWritten { writer.string(text) }
        }
        #expect(!isWritten)
        #expect(document["a"]?.text == text)
    }

    @Test("Zeros at the end beyond 34 digits are an exponent")
    func zeros() throws {
        let long = "1" + String(repeating: "0", count: 125)
        #expect(try decimal(long).description == "1.000000000000000000000000000000000E+125")
        #expect(try decimal("-9" + String(repeating: "0", count: 34)).description.hasSuffix("E+34"))
        #expect(Decimal128(exactly: Array(("1" + String(repeating: "0", count: 33) + "10").utf8)) == nil)
    }

    @Test("Random decimals are those of libbson", arguments: Seeds.all)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let count = Int.random(in: 1...34, using: &generator)
            var text = (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
            let point = Int.random(in: 0...count, using: &generator)
            if point < count {
                text.insert(".", at: text.index(text.startIndex, offsetBy: point))
                if point == 0 { text = "0" + text }
            }
            if Bool.random(using: &generator) { text += "E\(Int.random(in: -130...125, using: &generator))" }
            if Bool.random(using: &generator) { text = "-" + text }
            let ours = try decimal(text)
            #expect(try byLibbson(text) == .decimal128(ours), "\(text)")
            #expect(Document { $0.name("a"); $0.decimal128(ours) }.extendedJSON.contains("\"\(ours)\""), "\(text)")
        }
    }
}
