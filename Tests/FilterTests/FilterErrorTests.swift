import Filter
import Testing

@Suite("A wrong filter is refused")
struct FilterErrorTests {
    private func refusal(_ expression: String) -> FilterError? {
        do throws(FilterError) {
            var placeholders = try Placeholders(
                names: ##"{"#s":"status"}"##, values: #"{":v":{"N":"1"},":s":{"S":"x"},":t":{"S":"Q"},":l":{"L":[]}}"#)
            _ = try ItemFilter(expression, &placeholders)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "with the place, and what was expected there",
        arguments: [
            ("", "character 1: expected an attribute, a #name, a :value, a function or '(', found the end"),
            ("a", "character 2: expected a comparison, BETWEEN or IN, found the end"),
            ("a =", "character 4: expected an attribute, a #name, a :value, a function or '(', found the end"),
            ("a = :v b", "character 8: expected AND, OR or the end, found 'b'"),
            ("a == :v", "character 4: expected an attribute, a #name, a :value, a function or '(', found '='"),
            ("é = :v", "character 1: expected an attribute, a #name, a :value, a function or '(', found 'é'"),
            ("a BETWEEN :v, :v", "character 13: expected AND and an upper bound, found ','"),
            ("a IN :v", "character 6: expected '(', found ':v'"),
            ("(a = :v", "character 8: expected ')', found the end"),
            ("a[x] = :v", "character 3: expected the index of a list, found 'x'"),
            ("a = :v = :v", "character 8: expected AND, OR or the end, found '='"),
            ("(a = :v) = :v", "character 10: expected AND, OR or the end: a condition is no operand, found '='"),
            ("AND = :v", "character 1: expected an attribute, a #name, a :value, a function or '(', found 'AND'"),
        ])
    func syntax(expression: String, message: String) {
        #expect(refusal(expression)?.description == message)
    }

    @Test("where the service would refuse its meaning")
    func meaning() {
        #expect(refusal("a = :v AND status = :v") == .reserved("status", at: 12))
        #expect(refusal("a = :x") == .undefined(":x", at: 5))
        #expect(refusal("#x = :v") == .undefined("#x", at: 1))
        #expect(refusal("begin_with(a, :s)") == .unknownFunction("begin_with", at: 1))
        #expect(refusal("Size(a) = :v") == .unknownFunction("Size", at: 1))
        #expect(refusal("contains(a)") == .operandCount(of: "contains", expected: 2, found: 1, at: 1))
        #expect(refusal("begins_with(a, :v)") == .operandType(of: "begins_with", expected: "S or B", found: "N", at: 1))
        #expect(refusal("a < :l") == .operandType(of: "<", expected: "S, N or B", found: "L", at: 1))
        #expect(refusal("#s.a = #s.a") == .sameOperand(of: "=", at: 1))
        #expect(refusal("a BETWEEN :v AND :s") == .bounds(at: 11))
        #expect(refusal("((a = :v))") == .redundantParentheses(at: 1))
        #expect(
            refusal("a IN (\(Array(repeating: ":v", count: 100).joined(separator: ",")))")
                == .tooManyOperands(100, at: 1))
        #expect(refusal(String(repeating: "NOT ", count: 200) + "a = :v") == .tooDeep(at: 401))
        #expect(refusal("a = " + String(repeating: " ", count: 5000)) == .tooLong(bytes: 5004))
        for wrong in [
            "attribute_type(a, :t)", "attribute_type(a, :v)", "attribute_type(a, b)", "attribute_exists(:v)",
            "size(:v) = :v",
        ] {
            guard case .operandType? = refusal(wrong) else {
                Issue.record("\(wrong): \(String(describing: refusal(wrong)))")
                continue
            }
        }
        #expect(refusal("(a = :v) AND (((a)) = :v)") == .redundantParentheses(at: 15))
        #expect(refusal("((a = :v) AND (a = :v)) OR (a) = :v AND a IN (:v) AND a BETWEEN :v AND :v") == nil)
    }

    @Test(
        "where its placeholders are no JSON of that kind",
        arguments: [
            ("[]", nil), ("{", nil), ("{} x", nil), (##"{"s":"a"}"##, nil), (##"{"#":"a"}"##, nil),
            (##"{"#a":"b",}"##, nil),
            (##"{"#a":1}"##, nil), (##"{"#a":""}"##, nil), (##"{"#a":"b","#a":"c"}"##, nil),
            (##"{"#a":"b" "#c":"d"}"##, nil),
            (nil, #"{":v":"x"}"#), (nil, #"{":v":{"N":1}}"#), (nil, #"{":v":{"N":"x"}}"#),
            (nil, #"{":v":{"S":"a","N":"1"}}"#),
            (nil, #"{"v":{"S":"a"}}"#), (nil, #"{":v":{"L":[1]}}"#), (nil, #"{":v":{"BOOL":"true"}}"#),
            (nil, "{\":v\":{\"S\":\"a\nb\"}}"),
        ] as [(String?, String?)])
    func placeholders(names: String?, values: String?) {
        do throws(FilterError) {
            _ = try Placeholders(names: names, values: values)
            Issue.record("it was taken")
        } catch {
            guard case .placeholders = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
