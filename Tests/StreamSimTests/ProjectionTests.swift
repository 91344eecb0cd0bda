import TestSupport
import Testing

@testable import StreamSim

/// Source: Developer Guide, Projection expressions. What the guide leaves open is as Alternator's test suite found the
/// service.
@Suite("Projections")
struct ProjectionTests {
    private static let item = """
        {"a":{"M":{"b":{"L":[{"N":"2"},{"N":"4"},{"M":{"x":{"S":"hi"},"y":{"S":"yo"}}}]},"c":{"N":"5"}}},
        "a.b":{"S":"dotted"},"b":{"S":"hello"}}
        """

    private func projection(_ text: String) throws -> Projection {
        var placeholders = try Placeholders(names: [("#a", "a"), ("#dot", "a.b"), ("#data", "data")])
        return try Projection(Text(text), &placeholders)
    }

    @Test(
        "What is wanted comes in its place, and what is not there in none",
        arguments: [
            ("b", #"{"b":{"S":"hello"}}"#), (" b ,\n#dot ", #"{"a.b":{"S":"dotted"},"b":{"S":"hello"}}"#),
            ("a.c", #"{"a":{"M":{"c":{"N":"5"}}}}"#), ("#a.c,b", #"{"a":{"M":{"c":{"N":"5"}}},"b":{"S":"hello"}}"#),
            ("a.b[0]", #"{"a":{"M":{"b":{"L":[{"N":"2"}]}}}}"#),
            ("a.b[2].y", #"{"a":{"M":{"b":{"L":[{"M":{"y":{"S":"yo"}}}]}}}}"#),
            ("a.b[2].y, a.b[0]", #"{"a":{"M":{"b":{"L":[{"N":"2"},{"M":{"y":{"S":"yo"}}}]}}}}"#),
            (
                "a.b[2].y, a.c, a.b[2].x, a.b[1]",
                #"{"a":{"M":{"b":{"L":[{"N":"4"},{"M":{"x":{"S":"hi"},"y":{"S":"yo"}}}]},"c":{"N":"5"}}}}"#
            ),
            ("a.b[0], a.x, x, a.b[3].x", #"{"a":{"M":{"b":{"L":[{"N":"2"}]}}}}"#),
            ("x", "{}"), ("a.x", "{}"), ("a.x.y", "{}"), ("a.b[3]", "{}"), ("a.b.x", "{}"), ("a[0]", "{}"),
            ("a.b[0].x", "{}"), ("a.b[0][0]", "{}"), ("b.c", "{}"), ("#data", "{}"),
        ])
    func applied(text: String, expected: String) throws {
        #expect(try projection(text).applied(to: Attributes(Self.item)).written == expected)
    }

    @Test(
        "What the text alone shows to be wrong is refused, in the service's words",
        arguments: [
            ("", "The expression can not be empty;"),
            ("a, #a", Said.paths("overlap", "[a]", "[a]")),
            ("a.b[0], a", Said.paths("overlap", "[a, b, [0]]", "[a]")),
            ("a.b, a[1]", Said.paths("conflict", "[a, b]", "[a, [1]]")),
            ("data", "Attribute name is a reserved keyword; reserved keyword: data"),
            ("a.and", "Attribute name is a reserved keyword; reserved keyword: and"),
            ("#x", "An expression attribute name used in the document path is not defined; attribute name: #x"),
            ("a,", #"Syntax error; token: "<EOF>", near: ",""#), (",a", #"Syntax error; token: ",", near: ",a""#),
            ("a,,b", #"Syntax error; token: ",", near: ",,b""#), ("a b", #"Syntax error; token: "b", near: "a b""#),
            (":a", #"Syntax error; token: ":a", near: ":a""#), ("(a)", #"Syntax error; token: "(", near: "(a""#),
            ("size(a)", #"Syntax error; token: "(", near: "size(a""#),
        ])
    func refused(text: String, message: String) {
        #expect(refusal { _ = try projection(text) } == "Invalid ProjectionExpression: \(message)")
    }

    @Test("The paths of an update give what it changed")
    func changed() throws {
        var placeholders = try Placeholders(values: [(":x", #"{"S":"x"}"#)])
        let update = try UpdateExpression("SET a.b[2].x = :x REMOVE a.c", &placeholders)
        let changed = Projection(of: update.paths)
        let item = try Attributes(Self.item)
        #expect(
            changed.applied(to: item).written
                == #"{"a":{"M":{"b":{"L":[{"M":{"x":{"S":"hi"}}}]},"c":{"N":"5"}}}}"#)
        #expect(
            changed.applied(to: try update.applied(to: item)).written
                == #"{"a":{"M":{"b":{"L":[{"M":{"x":{"S":"x"}}}]}}}}"#)
    }

    @Test("No text traps", arguments: Seeds.all)
    func damage(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let parts = ["a", "b", "c", "#a", ".", ",", "[", "]", "0", "[2]", ".b", ".x", "_", " ", "é", "("]
        let item = try Attributes(Self.item)
        for _ in 0..<5000 {
            let text = (0..<values.below(10)).map { _ in values.pick(parts) }.joined()
            guard let projection = try? projection(text) else { continue }
            let part = projection.applied(to: item)
            #expect(projection.applied(to: part).count <= part.count, "SHAKE_SEED=\(seed) \(text)")
            #expect(part.size <= item.size, "SHAKE_SEED=\(seed) \(text)")
        }
    }
}
