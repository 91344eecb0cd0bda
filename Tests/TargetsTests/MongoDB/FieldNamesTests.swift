import MongoC
import StreamModel
import TestSupport
import Testing

@testable import MongoDBTarget

@Suite("Attributes' names as fields'")
struct FieldNamesTests {
    @Test(
        "Shake's names",
        arguments: [
            ("age", "age"), ("", "%"), ("%", "%25"), ("a.b", "a%2Eb"), ("$set", "%24set"), ("a$b", "a$b"), ("$", "%24"), ("_id", "%5Fid"),
            ("_ids", "_ids"), ("_shake", "%5Fshake"), ("_shakes.x", "%5Fshakes%2Ex"), ("_shak", "_shak"), ("nul\u{0}inside", "nul%00inside"),
            ("\u{0}", "%00"), ("\u{E9}", "\u{E9}"), ("e\u{301}", "e\u{301}"), ("%2E", "%252E"), ("..", "%2E%2E"),
        ])
    func shakes(name: String, field: String) throws {
        try check(DocumentFormat(.typed), name, field)
        try check(DocumentFormat(.plain), name, field)
    }

    @Test("Below the top _id and _shake are names like others")
    func below() {
        let names = DocumentFormat().names
        #expect(names.field(Array("_id".utf8), isTop: false) == Array("_id".utf8))
        #expect(names.field(Array("_shake".utf8), isTop: false) == Array("_shake".utf8))
        #expect(DocumentFormat(.mchange).names.field(Array("_id".utf8), isTop: false) == Array("_id".utf8))
        #expect(DocumentFormat(.change).names.field(Array("_id".utf8), isTop: false) == Array("pre_id".utf8))
    }

    @Test(
        "NimoShake's names are as it writes them, save for what would not come back",
        arguments: [
            ("age", "age"), ("_id", "pre_id"), ("pre_id", "%70re_id"), ("%70re_id", "%2570re_id"), ("50%", "50%"), ("%", "%25"),
            ("%zz", "%zz"), ("%41", "%2541"), ("", "%"), ("a.b", "a%2Eb"), ("$set", "%24set"), ("a\u{0}", "a%00"), ("a.%", "a%2E%25"),
            ("_shake", "_shake"), ("a$", "a$"),
        ])
    func nimoShakes(name: String, field: String) throws {
        for layout in [DocumentFormat.Layout.raw, .change, .mchange] {
            try check(DocumentFormat(layout), name, field)
        }
    }

    @Test("Another prefix")
    func prefix() throws {
        try check(DocumentFormat(.change, prefix: "x"), "_id", "x_id")
        try check(DocumentFormat(.change, prefix: "x"), "x_id", "%78_id")
        try check(DocumentFormat(.change, prefix: "x"), "pre_id", "pre_id")
    }

    private func check(_ format: DocumentFormat, _ name: String, _ field: String) throws {
        let names = format.names
        #expect(names.field(Array(name.utf8), isTop: true) == Array(field.utf8))
        #expect(try names.name(Array(field.utf8)[...], isTop: true) == Array(name.utf8))
        // The quick way to the same.
        let document = Document { writer in
            names.write(Array(name.utf8).span, isTop: true, to: &writer)
            writer.null()
        }
        #expect(document.names == [Array(field.utf8)])
    }

    @Test("Different names are different fields, and come back", arguments: Seeds.all, FormatSample.layouts)
    func random(seed: UInt64, layout: DocumentFormat.Layout) throws {
        var generator = SeededGenerator(seed: seed)
        let names = DocumentFormat(layout).names
        let parts = ["_id", "pre", "%", "5F", "70", ".", "$", "\u{0}", "a", "_shake", "_", "2E", "p", "re_id"]
        var known: [Bool: [[UInt8]: [UInt8]]] = [:]
        for _ in 0..<5000 {
            let name = Array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in parts[Int.random(in: 0..<parts.count, using: &generator)] }
                    .joined().utf8)
            for isTop in [true, false] {
                let field = names.field(name, isTop: isTop)
                try #require(!field.isEmpty && !field.contains(0) && !field.contains(UInt8(ascii: ".")))
                try #require(field.first != UInt8(ascii: "$"))
                try #require(!isTop || field != Array("_id".utf8))
                try #require(try names.name(field[...], isTop: isTop) == name, "\(String(decoding: name, as: UTF8.self))")
                try #require(known[isTop, default: [:]].updateValue(name, forKey: field) ?? name == name)
            }
        }
    }
}
