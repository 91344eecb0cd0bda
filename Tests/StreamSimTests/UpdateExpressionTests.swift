import TestSupport
import Testing

@testable import StreamSim

/// Source: Developer Guide, Update expressions. What the guide leaves open is as Alternator's test suite found the
/// service.
@Suite("Update expressions")
struct UpdateExpressionTests {
    private static let values: [(Text, String)] = [
        (":n1", #"{"N":"1"}"#), (":n2", #"{"N":"2"}"#), (":x", #"{"S":"x"}"#), (":y", #"{"S":"y"}"#),
        (":z", #"{"S":"z"}"#),
        (":l", #"{"L":[{"N":"8"},{"N":"9"}]}"#), (":none", #"{"L":[]}"#), (":m", #"{"M":{"k":{"N":"1"}}}"#),
        (":ss", #"{"SS":["b","c"]}"#), (":ns", #"{"NS":["1"]}"#), (":bs", #"{"BS":["AA=="]}"#),
        (":t", #"{"BOOL":true}"#),
        (":null", #"{"NULL":true}"#), (":b", #"{"B":"AA=="}"#), (":big", #"{"N":"9e125"}"#), (":e50", #"{"N":"1e50"}"#),
    ]

    private static let item = """
        {"n":{"N":"5"},"s":{"S":"s"},"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},
        "bs":{"BS":["AA==","AQ=="]},
        "m":{"M":{"x":{"N":"1"},"y":{"L":[{"S":"p"},{"M":{"q":{"S":"q"}}}]}}}}
        """

    private static let given = Result { try Placeholders(names: [("#n", "n"), ("#dot", "a.b")], values: values) }

    private func update(_ text: String) throws -> UpdateExpression {
        var placeholders = try Self.given.get()
        return try UpdateExpression(Text(text), &placeholders)
    }

    /// What it changes: the attributes that are other than before, and the names of those that are gone behind "-".
    private func changes(_ text: String, in json: String = item) throws -> String {
        let before = try Attributes(json)
        let after = try update(text).applied(to: before)
        var result = Attributes()
        for (name, value) in after where before[name] != value { result[name] = value }
        return ([result.written] + before.names.filter { after[$0] == nil }.map { "-\($0)" }).joined(separator: " ")
    }

    @Test(
        "The item is as the expression says",
        arguments: [
            ("SET a = :x", #"{"a":{"S":"x"}}"#), ("set a=:x,n=:y", #"{"a":{"S":"x"},"n":{"S":"y"}}"#),
            ("SET #dot = :x", #"{"a.b":{"S":"x"}}"#), ("SET a = s", #"{"a":{"S":"s"}}"#), ("SET n = n", "{}"),
            ("SET a = m.y[1].q", #"{"a":{"S":"q"}}"#), ("SET a = :m", #"{"a":{"M":{"k":{"N":"1"}}}}"#),
            ("SET a = :n1 + :n2", #"{"a":{"N":"3"}}"#), ("SET #n = #n - :n2", #"{"n":{"N":"3"}}"#),
            ("SET n = :n1 - n", #"{"n":{"N":"-4"}}"#), ("SET n = n + n", #"{"n":{"N":"10"}}"#),
            ("SET n = (n + :n1)", #"{"n":{"N":"6"}}"#), ("SET n = (n) + (:n1)", #"{"n":{"N":"6"}}"#),
            ("SET a = if_not_exists(a, :n1)", #"{"a":{"N":"1"}}"#), ("SET n = if_not_exists(n, :n1)", "{}"),
            ("SET a = if_not_exists(n, gone)", #"{"a":{"N":"5"}}"#),
            ("SET a = if_not_exists(a, :n1) + :n2", #"{"a":{"N":"3"}}"#),
            ("SET a = if_not_exists(a, if_not_exists(b, :n1))", #"{"a":{"N":"1"}}"#),
            ("SET l = list_append(l, :l)", #"{"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"N":"8"},{"N":"9"}]}}"#),
            ("SET a = list_append(:l, if_not_exists(a, :none))", #"{"a":{"L":[{"N":"8"},{"N":"9"}]}}"#),
            ("REMOVE n, s", "{} -n -s"), ("REMOVE gone", "{}"),
            ("REMOVE m.x, m.y[0]", #"{"m":{"M":{"y":{"L":[{"M":{"q":{"S":"q"}}}]}}}}"#),
            ("REMOVE m.gone, l[7]", "{}"), ("REMOVE l[0], l[1]", #"{"l":{"L":[{"S":"c"}]}}"#),
            ("REMOVE l[0], l[1], l[2]", #"{"l":{"L":[]}}"#), ("REMOVE l[1], l[0]", #"{"l":{"L":[{"S":"c"}]}}"#),
            ("REMOVE l[1] SET l[2] = :x", #"{"l":{"L":[{"S":"a"},{"S":"x"}]}}"#),
            ("SET l[2] = :x REMOVE l[1]", #"{"l":{"L":[{"S":"a"},{"S":"x"}]}}"#),
            ("SET l[7] = :x", #"{"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"S":"x"}]}}"#),
            (
                "SET l[84] = :x, l[17] = :y, l[3] = :z",
                #"{"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"S":"z"},{"S":"y"},{"S":"x"}]}}"#
            ),
            ("SET l[9] = :x REMOVE l[0]", #"{"l":{"L":[{"S":"b"},{"S":"c"},{"S":"x"}]}}"#),
            ("SET l[9] = :x REMOVE l[3]", #"{"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"S":"x"}]}}"#),
            ("SET m.x = :x", #"{"m":{"M":{"x":{"S":"x"},"y":{"L":[{"S":"p"},{"M":{"q":{"S":"q"}}}]}}}}"#),
            ("SET m.fresh = :x REMOVE m.y", #"{"m":{"M":{"fresh":{"S":"x"},"x":{"N":"1"}}}}"#),
            (
                "SET m.y[1].q = :x, m.y[0] = m.y[1].q REMOVE m.x",
                #"{"m":{"M":{"y":{"L":[{"S":"q"},{"M":{"q":{"S":"x"}}}]}}}}"#
            ),
            ("REMOVE m.y[0], m.y[1].q", #"{"m":{"M":{"x":{"N":"1"},"y":{"L":[{"M":{}}]}}}}"#),
            ("ADD n :n2", #"{"n":{"N":"7"}}"#), ("ADD a :n2", #"{"a":{"N":"2"}}"#),
            (
                "ADD m.x :n2, ss :ss",
                #"{"m":{"M":{"x":{"N":"3"},"y":{"L":[{"S":"p"},{"M":{"q":{"S":"q"}}}]}}},"ss":{"SS":["a","b","c"]}}"#
            ),
            ("ADD a :ss", #"{"a":{"SS":["b","c"]}}"#), ("ADD ns :ns, bs :bs", "{}"),
            ("ADD l[5] :n1", #"{"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"N":"1"}]}}"#),
            ("DELETE ss :ss", #"{"ss":{"SS":["a"]}}"#), ("DELETE ns :ns", "{} -ns"),
            ("DELETE bs :bs", #"{"bs":{"BS":["AQ=="]}}"#),
            ("DELETE gone :ss", "{}"),
            ("REMOVE s SET a = s", #"{"a":{"S":"s"}} -s"#),
            ("SET a = n, n = s, s = n", #"{"a":{"N":"5"},"n":{"S":"s"},"s":{"N":"5"}}"#),
            ("SET a = n ADD n :n1 REMOVE s DELETE ss :ss", #"{"a":{"N":"5"},"n":{"N":"6"},"ss":{"SS":["a"]}} -s"#),
            ("  set\ta\n=:x  ", #"{"a":{"S":"x"}}"#),
        ])
    func applied(text: String, expected: String) throws { #expect(try changes(text) == expected) }

    @Test(
        "What does not fit the item is refused, in the service's words",
        arguments: [
            ("SET a = gone", "The provided expression refers to an attribute that does not exist in the item"),
            ("SET x = :x, y = x", "The provided expression refers to an attribute that does not exist in the item"),
            ("SET a = n + gone", "The provided expression refers to an attribute that does not exist in the item"),
            (
                "SET a = list_append(gone, :l)",
                "The provided expression refers to an attribute that does not exist in the item"
            ),
            ("SET a = l[3]", "The provided expression refers to an attribute that does not exist in the item"),
            ("SET a = n + s", "An operand in the update expression has an incorrect data type"),
            ("SET a = list_append(:l, s)", "An operand in the update expression has an incorrect data type"),
            ("ADD s :n1", "An operand in the update expression has an incorrect data type"),
            ("ADD ss :ns", "An operand in the update expression has an incorrect data type"),
            ("ADD l :ss", "An operand in the update expression has an incorrect data type"),
            ("DELETE ns :ss", "An operand in the update expression has an incorrect data type"),
            ("DELETE n :ss", "An operand in the update expression has an incorrect data type"),
            ("SET gone.a = :x", "The document path provided in the update expression is invalid for update"),
            ("SET s.a = :x", "The document path provided in the update expression is invalid for update"),
            ("SET l.a = :x", "The document path provided in the update expression is invalid for update"),
            ("SET m[0] = :x", "The document path provided in the update expression is invalid for update"),
            ("SET l[7].a = :x", "The document path provided in the update expression is invalid for update"),
            ("SET m.a.b = :x", "The document path provided in the update expression is invalid for update"),
            ("REMOVE gone.a", "The document path provided in the update expression is invalid for update"),
            ("REMOVE s[0]", "The document path provided in the update expression is invalid for update"),
            ("ADD gone.a :n1", "The document path provided in the update expression is invalid for update"),
            ("DELETE gone.a :ss", "The document path provided in the update expression is invalid for update"),
            (
                "SET a = :big + :big",
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            ),
            (
                "SET a = :e50 - :n1",
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            ),
        ])
    func unfit(text: String, message: String) { #expect(refusal { _ = try changes(text) } == message) }

    @Test(
        "What the text alone shows to be wrong is refused, in the service's words",
        arguments: [
            ("", "The expression can not be empty;"),
            ("SET a = :x SET b = :y", #"The "SET" section can only be used once in an update expression;"#),
            ("SET a = :x REMOVE c SET b = :y", #"The "SET" section can only be used once in an update expression;"#),
            ("SET a = :x REMOVE a", Said.paths("overlap", "[a]", "[a]")),
            ("REMOVE #n SET n = :x", Said.paths("overlap", "[n]", "[n]")),
            ("SET a.b = :x, a = :y", Said.paths("overlap", "[a, b]", "[a]")),
            ("SET a[1] = :x, a[1][1] = :y", Said.paths("overlap", "[a, [1]]", "[a, [1], [1]]")),
            ("SET a.b = :x, a[1] = :y", Said.paths("conflict", "[a, b]", "[a, [1]]")),
            ("SET data = :x", "Attribute name is a reserved keyword; reserved keyword: data"),
            ("SET a = f(b, c)", "Invalid function name; function: f"),
            ("SET a = LIST_APPEND(:l, :l)", "Invalid function name; function: LIST_APPEND"),
            ("SET a = size(b)", Said.misused("size")),
            ("SET a = list_append(list_append(:l, :l), :l)", Said.misused("list_append")),
            ("SET a = list_append(:l)", Said.operands("list_append", 1)),
            ("SET a = list_append(:l, :x)", Said.operandType("list_append", "S")),
            (
                "SET a = if_not_exists(:x, :y)",
                "Operator or function requires a document path; operator or function: if_not_exists"
            ),
            (
                "SET a = if_not_exists(if_not_exists(a, :x), :y)",
                "Operator or function requires a document path; operator or function: if_not_exists"
            ),
            ("SET a = :x + :n1", Said.operandType("+", "S")),
            ("SET a = n - :l", Said.operandType("-", "L")),
            ("ADD a :x", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
            ("ADD a :l", "Incorrect operand type for operator or function; operator: ADD, operand type: LIST"),
            ("DELETE a :n1", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"),
            ("DELETE a :t", "Incorrect operand type for operator or function; operator: DELETE, operand type: BOOLEAN"),
            ("HELLO a = :x", #"Syntax error; token: "HELLO", near: "HELLO a""#),
            ("SET _a = :x", #"Syntax error; token: "_", near: "SET _a""#),
            ("SET a = :n1 + :n1 + :n1", #"Syntax error; token: "+", near: ":n1 + :n1""#),
        ])
    func refused(text: String, message: String) {
        #expect(refusal { _ = try update(text) } == "Invalid UpdateExpression: \(message)")
    }

    @Test(
        "What is no update is a syntax error",
        arguments: [
            "SET", "SET a", "SET a =", "SET a = :x,", "SET , a = :x", "SET :x = :y", "SET a = a[:x]", "SET 1a = :x",
            "SET a-b = :x",
            "SET a$b = :x", "SET \"a\" = :x", "SET a = :x b = :y", "a = :x", "REMOVE", "REMOVE a b", "REMOVE a = :x",
            "REMOVE :x", "ADD a",
            "ADD a = :n1", "ADD a b", "ADD a :n1 +", "DELETE a", "DELETE :ss", "SET set = :x", "SET a = remove",
            "SET a = if_not_exists(a, :n1 + :n2)",
            "SET a = n + (n + n)", "SET a = (n + n) + n", "SET a = (n", "SET a = n)", "SET a = f()", "SET a = _f(b)",
            "SET a = ()", "SET a = :n1 * :n2",
            "SET a = :x; REMOVE b", "SET a.b. = :x", "SET a[] = :x", "SET a == :x",
        ])
    func syntax(text: String) {
        let message = refusal { _ = try update(text) }
        #expect(message?.hasPrefix("Invalid UpdateExpression: Syntax error; token: ") == true, "\(message ?? "taken")")
    }

    @Test("REMOVE takes any path where there was no item, and SET does not")
    func new() throws {
        let key: Attributes = ["id": "1"]
        #expect(try update("REMOVE x.y, z[0]").applied(to: key, isNew: true) == key)
        #expect(refusal { _ = try update("REMOVE x.y").applied(to: key) } != nil)
        #expect(refusal { _ = try update("SET x.y = :x").applied(to: key, isNew: true) } != nil)
        #expect(try update("ADD n :n1").applied(to: key, isNew: true) == ["id": "1", "n": 1])
    }

    @Test("It tells what it writes to, and not what it only reads")
    func touched() throws {
        let update = try update("SET a = s, m.x = if_not_exists(q, :x) REMOVE l[0] ADD #n :n1 DELETE m.y :ss")
        #expect(update.touched == ["a", "m", "l", "n"])
        #expect(update.paths.map(\.description) == ["[a]", "[m, x]", "[l, [0]]", "[n]", "[m, y]"])
    }

    @Test("No value gets deeper than 32 levels")
    func depth() throws {
        let deep = (0..<31).reduce(#"{"L":[]}"#) { inner, _ in #"{"L":[\#(inner)]}"# }
        let item = try Attributes(#"{"deep":\#(deep),"m":{"M":{}}}"#)
        _ = try update("SET a = deep").applied(to: item)
        #expect(refusal { _ = try update("SET m.a = deep").applied(to: item) }?.contains("Nesting Levels") == true)
    }

    @Test("No text traps, and what is taken changes nothing that it does not touch", arguments: Seeds.all)
    func damage(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let parts = [
            "SET", "REMOVE", "ADD", "DELETE", "n", "m", "l", "ss", ".", "x", "y", "[", "0", "]", "[1]", "(", ")", ",",
            "=", "= :n1", "= n", "+", "-",
            "if_not_exists", "list_append", ":n1", ":ss", ":l", "#n", "_", "é",
        ]
        let item = try Attributes(Self.item)
        var taken = 0
        for _ in 0..<5000 {
            let text =
                values.pick(["SET ", "REMOVE ", "ADD ", "DELETE ", ""])
                + (0..<values.below(9)).map { _ in values.pick(parts) }.joined(separator: values.pick(["", " ", " "]))
            guard let update = try? update(text), let after = try? update.applied(to: item) else { continue }
            taken += 1
            let touched = update.touched
            for name in Set(item.names + after.names).subtracting(touched) {
                #expect(after[name] == item[name], "SHAKE_SEED=\(seed) \(text)")
            }
            #expect(try Attributes(.read(after.written)) == after, "SHAKE_SEED=\(seed) \(text)")
        }
        #expect(taken > 0)
    }
}
