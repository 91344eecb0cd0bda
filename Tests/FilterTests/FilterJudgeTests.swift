import Filter
import StreamSim
import Testing

/// The simulator has a parser and an evaluator of its own, which share nothing with ours.
@Suite("A filter and the simulator's")
struct FilterJudgeTests {
    private static let names = ##"{"#0":"a","#1":"b","#2":"status"}"##

    @Test("select the same of many items, and refuse the same expressions", arguments: 1...20)
    func agree(seed: UInt64) throws {
        var chance = Chance(state: seed)
        var (matched, refused) = (0, 0)
        for _ in 0..<500 {
            let values = "{" + (0..<4).map { #"":\#($0)":\#(chance.value(depth: 1))"# }.joined(separator: ",") + "}"
            let expression = chance.condition(depth: 3)
            let ours = Result { () throws -> ItemFilter in
                var placeholders = try Filter.Placeholders(names: Self.names, values: values)
                return try ItemFilter(expression, &placeholders)
            }
            let theirs = Result { () throws -> Condition in
                var placeholders = try StreamSim.Placeholders(
                    names: JSON(parsing: Array(Self.names.utf8)), values: JSON(parsing: Array(values.utf8)))
                return try Condition(Text(expression), &placeholders, as: "FilterExpression")
            }
            switch (ours, theirs) {
            case (.failure, .failure): refused += 1
            case (.success(let ours), .success(let theirs)):
                for _ in 0..<10 {
                    let item = chance.item()
                    let bytes = Array(item.utf8)
                    let expected = try theirs.holds(for: Attributes(JSON(parsing: bytes)))
                    #expect(ours.matches(bytes, bytes.indices) == expected, "\(expression) with \(values) of \(item)")
                    matched += expected ? 1 : 0
                }
            default: Issue.record("\(expression) with \(values): \(ours) and \(theirs)")
            }
        }
        #expect(matched > 200 && refused < 400, "the expressions say something: \(matched), \(refused)")
    }

    /// Small worlds of values, so that equal ones and near ones meet.
    private struct Chance {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }

        mutating func one(_ texts: [String]) -> String { texts[below(texts.count)] }

        mutating func number() -> String {
            one([
                "0", "-0.0", "1", "1.0", "10e-1", "-1", "2", "10", "9", "1e2", "100", "0.1", "0.01", "-0.1", "1E-130",
                "9.9e125",
                "12345678901234567890123456789012345678", "12345678901234567890123456789012345677",
            ])
        }

        mutating func text() -> String {
            one(["", "a", "ab", "b", "é", #"e\u0301"#, #"\ud83d\ude00"#, #"\uff5e"#, "L", "N", "1"])
        }
        mutating func binary() -> String { one(["", "AQ==", "/w==", "AQI=", "AAEC"]) }

        mutating func value(depth: Int) -> String {
            switch below(depth > 0 ? 13 : 9) {
            case 0, 1, 2: #"{"S":"\#(text())"}"#
            case 3, 4, 5: #"{"N":"\#(number())"}"#
            case 6: #"{"B":"\#(binary())"}"#
            case 7: #"{"BOOL":\#(one(["true", "false"]))}"#
            case 8: #"{"NULL":true}"#
            case 9: one([#"{"SS":["a","ab"]}"#, #"{"SS":["ab","a"]}"#, #"{"SS":["é"]}"#])
            case 10:
                one([
                    #"{"NS":["1","2"]}"#, #"{"NS":["2.0","1"]}"#, #"{"BS":["AQ==","/w=="]}"#,
                    #"{"BS":["/w==","AQ=="]}"#,
                ])
            case 11: #"{"L":[\#(value(depth: depth - 1)),\#(value(depth: depth - 1))]}"#
            default: #"{"M":{"a":\#(value(depth: depth - 1)),"b":\#(value(depth: depth - 1))}}"#
            }
        }

        mutating func item() -> String {
            let attributes = ["a", "b", "c", "status", #"\u0064"#].filter { _ in below(4) > 0 }
            return "{" + attributes.map { #""\#($0)":\#(value(depth: 2))"# }.joined(separator: ", ") + "}"
        }

        mutating func path() -> String {
            one(["a", "b", "c", "d", "#0", "#2", "a.b", "a[0]", "b[1].a", "c.#1", "#2[1]"])
        }

        mutating func operand() -> String {
            switch below(8) {
            case 0...3: path()
            case 4...6: ":\(below(4))"
            default: "size(\(path()))"
            }
        }

        mutating func condition(depth: Int) -> String {
            switch below(depth > 0 ? 14 : 10) {
            case 0...3: "\(operand()) \(one(["=", "<>", "<", "<=", ">", ">="])) \(operand())"
            case 4: "\(operand()) BETWEEN \(operand()) AND \(operand())"
            case 5: "\(operand()) IN (\(operand()), \(operand()))"
            case 6: "\(one(["attribute_exists", "attribute_not_exists"]))(\(path()))"
            case 7: "attribute_type(\(path()), :\(below(4)))"
            case 8: "begins_with(\(path()), \(operand()))"
            case 9: "contains(\(path()), \(operand()))"
            case 10: "\(condition(depth: depth - 1)) AND \(condition(depth: depth - 1))"
            case 11: "\(condition(depth: depth - 1)) OR \(condition(depth: depth - 1))"
            case 12: "NOT \(condition(depth: depth - 1))"
            default: "(\(condition(depth: depth - 1)))"
            }
        }
    }
}
