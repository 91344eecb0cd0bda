import TestSupport
import Testing

@testable import StreamSim

/// Source: Developer Guide, Condition and filter expressions, operators, and functions. What the guide leaves open is
/// as Alternator's test suite found the service.
@Suite("Conditions")
struct ConditionTests {
    private static let item = """
        {"id":{"S":"x"},"n":{"N":"5"},"neg":{"N":"-5"},"s":{"S":"hello"},"ell":{"S":"ell"},"b":{"B":"aGk="},
        "t":{"BOOL":true},"z":{"NULL":true},"ss":{"SS":["cat","dog"]},"ns":{"NS":["2","4"]},"bs":{"BS":["aGk=","AA=="]},
        "l":{"L":[{"N":"2"},{"S":"dog"},{"L":[{"N":"3"}]},{"M":{"k":{"S":"deep"}}}]},
        "m":{"M":{"x":{"N":"1"},"y":{"L":[{"N":"-1"},{"N":"2"}]},"a.b":{"S":"dotted"}}},"e":{"S":""}}
        """

    private static let values: [(Text, String)] = [
        (":n4", #"{"N":"4"}"#), (":n5", #"{"N":"5.0"}"#), (":n6", #"{"N":"6"}"#), (":s", #"{"S":"hello"}"#),
        (":h", #"{"S":"hell"}"#), (":ell", #"{"S":"ell"}"#), (":s5", #"{"S":"5"}"#), (":b", #"{"B":"aGk="}"#),
        (":bh", #"{"B":"aA=="}"#), (":t", #"{"BOOL":true}"#), (":z", #"{"NULL":true}"#),
        (":ss", #"{"SS":["dog","cat"]}"#), (":dog", #"{"S":"dog"}"#), (":n2", #"{"N":"2"}"#),
        (":l3", #"{"L":[{"N":"3"}]}"#),
        (":l", #"{"L":[]}"#), (":SS", #"{"S":"SS"}"#), (":N", #"{"S":"N"}"#), (":M", #"{"S":"M"}"#),
        (":X", #"{"S":"DOG"}"#),
        (":empty", #"{"S":""}"#), (":h2", #"{"S":"hi"}"#),
    ]

    private static let given = Result {
        try Placeholders(
            names: [("#n", "n"), ("#m", "m"), ("#dot", "a.b"), ("#y", "y"), ("#size", "size")], values: values)
    }
    private static let stored = Result { try Attributes(item) }

    private func condition(_ text: String, as parameter: String = "ConditionExpression") throws -> Condition {
        var placeholders = try Self.given.get()
        return try Condition(Text(text), &placeholders, as: parameter)
    }

    private func holds(_ text: String) throws -> Bool { try condition(text).holds(for: Self.stored.get()) }

    @Test(
        "It holds",
        arguments: [
            "n = :n5", "#n=:n5", ":n5 = n", "n <> :n4", "n <> :s5", "gone <> :n4", "gone <> nope", "n < :n6",
            "n <= :n5", "n > :n4", "n >= :n5", "neg < n", "s > :h", "s >= :s", "b > :bh", "t = :t", "z = :z",
            "ss = :ss",
            "n BETWEEN :n4 AND :n6", "n between :n5 and :n5", "s BETWEEN :h AND :s", ":n5 BETWEEN neg AND n",
            "n IN (:n4, :n5)", "n in (neg, n)", "n IN (:s, :n5)", "ss IN (:ss)",
            "attribute_exists(n)", "attribute_exists (m.x)", "attribute_exists(l[2][0])", "attribute_not_exists(l[4])",
            "attribute_not_exists(gone)", "attribute_not_exists(m.x.y)", "attribute_not_exists(n[0])",
            "attribute_not_exists(l.x)", "attribute_not_exists(m[0])", "attribute_exists(e)", "attribute_exists(z)",
            "attribute_type(ss, :SS)", "attribute_type(n, :N)", "attribute_type(m, :M)", "attribute_type(:n5, :N)",
            "begins_with(s, :h)", "begins_with(b, :bh)", "begins_with(s, :empty)", "begins_with(:s, :h)",
            "contains(s, :ell)", "contains(s, ell)", "contains(s, :empty)", "contains(b, :bh)", "contains(ss, :dog)",
            "contains(ns, :n2)", "contains(bs, :b)", "contains(l, :dog)", "contains(l, :n2)", "contains(l, :l3)",
            "contains(:s, ell)",
            "size(s) = :n5", "size(ss) = :n2", "size(ns) = :n2", "size(bs) = :n2", "size(b) = :n2", "size(l) = :n4",
            "size(m) > :n2", "size(s) = n", ":n4 < size(s)", "size(:s) = :n5", "size(s) IN (:n4, :n5)",
            "size(s) BETWEEN :n4 AND :n6", "size(n) <> :n5", "size(gone) <> :n5",
            "m.x < m.y[1]", "#m.#y[0] < #m.x", "attribute_exists(m.#dot)", "l[3].k > :dog OR n = :n5",
            "NOT n = :n4", "not n = :n4", "NOT NOT n = :n5", "n = :n5 AND s = :s", "n = :n4 OR s = :s",
            "n = :n5 OR n = :n4 AND n = :n4", "n = :n4 AND n = :n4 OR n = :n5", "NOT n = :n4 AND s = :s",
            "(n = :n5)", "NOT (n = :n4 OR n = :n6)", "(n) = (:n5)", "(n = :n4 OR n = :n5) AND s = :s",
            "n BETWEEN :n4 AND :n6 AND s = :s", "(size(s)) = (:n5)", "(attribute_exists(n))", "\tn\r\n=\n:n5 ",
            "NOT (attribute_exists(gone)) AND (n = :n5 OR (s = :h AND t = :t))",
        ])
    func holds(text: String) throws {
        #expect(try holds(text))
    }

    @Test(
        "It does not hold, and is no error",
        arguments: [
            "n = :n4", "n = :s5", "gone = :n4", "gone = nope", "gone < :n4", ":n4 < gone", "gone <= nope",
            "gone > nope", "gone >= nope", "n <> :n5", "n < :n5", "n > :n5", "n <= :n4", "n >= :n6", "n < :s",
            "s < :n5", "n > :s", "s <= :n5", "s >= :n5", "l < :n5", "l >= :n5", "t <= n", "ss <> :ss",
            "gone BETWEEN :n4 AND :n6",
            "n BETWEEN s AND :n6", "n BETWEEN :n6 AND n", "gone BETWEEN nope AND another", "n IN (:n4, :s5)",
            "gone IN (:n4)", "gone IN (nope)", "attribute_exists(gone)", "attribute_not_exists(n)",
            "attribute_exists(n.x)", "attribute_exists(l[4])", "attribute_type(n, :SS)", "attribute_type(gone, :N)",
            "begins_with(s, :ell)", "begins_with(n, :h)", "begins_with(b, :h)", "begins_with(gone, :h)",
            "begins_with(:h, s)", "contains(s, :dog)", "contains(ss, :ell)", "contains(ns, :n5)", "contains(n, :n5)",
            "contains(l, :n5)", "contains(ss, :ss)", "contains(gone, :dog)", "contains(s, :n5)", "contains(b, :h2)",
            "size(s) = :n4", "size(n) = :n5", "size(t) = :n5", "size(z) = :n5", "size(gone) = :n5", "size(s) = :s",
            "NOT n = :n5", "n = :n5 AND n = :n4", "n = :n4 OR n = :n6", "NOT (n = :n4 OR n = :n5)",
            "(n = :n5 OR n = :n4) AND n = :n4",
        ])
    func fails(text: String) throws { #expect(try !holds(text)) }

    @Test("A missing item is one without attributes")
    func missing() throws {
        #expect(try condition("attribute_not_exists(id)").holds(for: [:]))
        #expect(try !condition("attribute_exists(id) OR id = :s").holds(for: [:]))
    }

    @Test(
        "What the text alone shows to be wrong is refused in the service's words",
        arguments: [
            ("", "The expression can not be empty;"),
            ("n = :none", "An expression attribute value used in expression is not defined; attribute value: :none"),
            (
                "#none = :n5",
                "An expression attribute name used in the document path is not defined; attribute name: #none"
            ),
            ("name = :n5", "Attribute name is a reserved keyword; reserved keyword: name"),
            ("m.Status = :n5", "Attribute name is a reserved keyword; reserved keyword: Status"),
            ("size = :n5", "Attribute name is a reserved keyword; reserved keyword: size"),
            ("dog(n) = :n5", "Invalid function name; function: dog"),
            ("SIZE(n) = :n5", "Invalid function name; function: SIZE"),
            ("if_not_exists(n, s) = :n5", Said.misused("if_not_exists")),
            ("list_append(n, s) = :n5", Said.misused("list_append")),
            ("attribute_exists(n) = :n5", Said.misused("attribute_exists")),
            ("size(contains(s, n)) = :n5", Said.misused("contains")),
            ("size(s)", Said.misused("size")),
            ("n = :n5 AND size(s)", Said.misused("size")),
            ("size(s, n) = :n5", Said.operands("size", 2)),
            ("contains(s)", Said.operands("contains", 1)),
            (
                "attribute_exists(:s)",
                "Operator or function requires a document path; operator or function: attribute_exists"
            ),
            ("attribute_type(n, s)", Said.operandType("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")),
            ("attribute_type(n, :n5)", Said.operandType("attribute_type", "N")),
            (
                "attribute_type(n, :X)",
                "Invalid attribute type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            ),
            ("begins_with(s, :n5)", Said.operandType("begins_with", "N")),
            ("size(:n5) = :n5", Said.operandType("size", "N")),
            ("n < :l", Said.operandType("<", "L")),
            (":t >= n", Said.operandType(">=", "BOOL")),
            ("n BETWEEN :l AND :n5", Said.operandType("BETWEEN", "L")),
            ("contains(s, s)", Said.distinct("contains", "[s]")),
            ("m.y[0] = m.y[0]", Said.distinct("=", "[m, y, [0]]")),
            (
                "n BETWEEN :n5 AND :n4",
                Said.between("upper bound to be greater than or equal to lower bound", "{N:5}", "{N:4}")
            ),
            ("n BETWEEN :n5 AND :s", Said.between("same data type for lower and upper bounds", "{N:5}", "{S:hello}")),
            ("((n = :n5))", "The expression has redundant parentheses;"),
            ("((n)) = :n5", "The expression has redundant parentheses;"),
            ("l[99999999999] = :n5", "List index is not within the allowable range; index: [99999999999]"),
            ("n", #"Syntax error; token: "<EOF>", near: "n""#), ("n = ", #"Syntax error; token: "<EOF>", near: "=""#),
            ("n == :n5", #"Syntax error; token: "=", near: "== :n5""#),
            ("n = :n5 :n6", #"Syntax error; token: ":n6", near: ":n5 :n6""#),
            ("_n = :n5", #"Syntax error; token: "_", near: "_n""#),
            ("n IN ()", #"Syntax error; token: ")", near: "()""#),
            ("n é :n5", #"Syntax error; token: "é", near: "n é :n5""#),
            // What is wrong with the syntax comes before what is wrong with the meaning.
            ("name = :none AND", #"Syntax error; token: "<EOF>", near: "AND""#),
        ])
    func refused(text: String, message: String) {
        #expect(refusal { _ = try holds(text) } == "Invalid ConditionExpression: \(message)")
    }

    @Test(
        "What is no condition is a syntax error",
        arguments: [
            "n = :n5 AND", "AND n = :n5", "n = :n5 OR OR s = :s", "(n = :n5", "n = :n5)", "()", "n BETWEEN :n4",
            "n BETWEEN :n4 OR :n6",
            "n IN :n4", "n IN (:n4", "n IN (:n4,)", "and = :n5", "Not = :n5", "m.in = :n5", "= :n5", "n :n5", ":n5",
            "n <= <= :n5", "n < > :n5",
            "n.= :n5", "m. = :n5", "m..x = :n5", "l[] = :n5", "l[-1] = :n5", "l[a] = :n5", "l[:n5] = :n5",
            "l[#n] = :n5", "l[1 = :n5",
            "1n = :n5", "1 = :n5", "n = 5", "n = 'x'", "n = \"x\"", "# = :n5", ": = n", "n = :n5 ; s = :s",
            "n + n = :n5", "contains(s,)",
            "contains(s :ell)", "contains()", "(n = :n5) = :n5", "(NOT n = :n5) < :n5", "n = (s = :s)", "NOT n",
            "n = NOT s", "n!=:n5",
            "$", "\u{0}", "n\u{A0}= :n5",
        ])
    func syntax(text: String) {
        let message = refusal { _ = try holds(text) }
        #expect(
            message?.hasPrefix("Invalid ConditionExpression: Syntax error; token: ") == true, "\(message ?? "taken")")
    }

    @Test("Messages name the parameter that the text came in")
    func parameter() {
        #expect(
            refusal { _ = try condition("", as: "FilterExpression") }
                == "Invalid FilterExpression: The expression can not be empty;")
    }

    @Test("An expression has 4096 bytes at most, IN 100 operands with its first, and parentheses 100 levels")
    func limits() throws {
        func many(_ count: Int) -> String {
            "n IN (" + Array(repeating: ":n5", count: count).joined(separator: ",") + ")"
        }
        #expect(try holds(many(99)))
        #expect(refusal { _ = try holds(many(100)) }?.contains("number of operands: 101") == true)
        let long = "n = :n5" + String(repeating: " ", count: 4096 - 7)
        #expect(try holds(long))
        #expect(refusal { _ = try holds(long + " ") }?.contains("expression size: 4097") == true)
        func nested(_ levels: Int) -> String { String(repeating: "NOT ", count: levels) + "n = :n5" }
        #expect(try holds(nested(100)))
        #expect(refusal { _ = try holds(nested(101)) }?.contains("nested too deeply") == true)
        #expect(refusal { _ = try holds(String(repeating: "(", count: 4096)) } != nil)
        #expect(refusal { _ = try holds(String(repeating: "size(", count: 800)) } != nil)
        #expect(try holds("n = :n5" + String(repeating: " AND n = :n5", count: 300)))
    }

    @Test("All 573 reserved words are refused, in any case, and others are not")
    func reserved() throws {
        #expect(ReservedWords.words.count == 573)
        let grammar: Set<Text> = ["AND", "OR", "NOT", "IN", "BETWEEN"]
        for word in ReservedWords.words.subtracting(grammar) {
            for spelling in [word.string, word.string.lowercased()] {
                #expect(
                    refusal { _ = try holds("\(spelling) = :n5") }
                        == "Invalid ConditionExpression: Attribute name is a reserved keyword; "
                        + "reserved keyword: \(spelling)")
            }
        }
        for word in ["id", "pk", "sk", "version", "names1", "user_name", "deleted"] {
            _ = try holds("\(word) = :n5")
        }
    }

    @Test("No text traps", arguments: Seeds.all)
    func damage(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let parts = [
            "n", "m", ".", "x", "[", "0", "]", "(", ")", ",", "=", "<", ">", "<=", "<>", "AND", "OR", "NOT", "BETWEEN",
            "IN", "size",
            "contains", "attribute_exists", ":n5", ":s", "#n", "_", "é", " ", "+", "'", "\u{0}",
        ]
        var taken = 0
        for _ in 0..<5000 {
            let text = (0..<values.below(10)).map { _ in values.pick(parts) }
                .joined(separator: values.pick(["", " ", " "]))
            if refusal({ _ = try holds(text) }) == nil { taken += 1 }
        }
        #expect(taken > 0)
    }
}
