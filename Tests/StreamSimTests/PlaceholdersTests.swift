import Testing

@testable import StreamSim

/// Source: Developer Guide, Expression attribute names, and values.
@Suite("Placeholders")
struct PlaceholdersTests {
    @Test("All that are given must be used, by one expression of the call or another")
    func unused() throws {
        var placeholders = try Placeholders(
            names: [("#a", "a"), ("#b", "b")], values: [(":x", #"{"N":"1"}"#), (":y", #"{"N":"2"}"#)])
        _ = try Condition("#a = :x", &placeholders)
        #expect(
            refusal { try placeholders.checkAllUsed() }
                == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}")
        _ = try Projection("#b", &placeholders)
        #expect(
            refusal { try placeholders.checkAllUsed() }
                == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}")
        _ = try UpdateExpression("SET c = :y", &placeholders)
        try placeholders.checkAllUsed()
    }

    @Test("One that is used without being given is refused")
    func undefined() throws {
        var placeholders = Placeholders()
        #expect(
            refusal { _ = try Condition("#a = b", &placeholders) }
                == "Invalid ConditionExpression: An expression attribute name used in the document path "
                + "is not defined; attribute name: #a")
        #expect(
            refusal { _ = try UpdateExpression("SET a = :x", &placeholders) }
                == "Invalid UpdateExpression: An expression attribute value used in expression is not defined; "
                + "attribute value: :x")
    }

    @Test(
        "A name is # or : and letters, digits and underscores",
        arguments: ["a", "#", "#a-b", "#!a", "#é", "a#", ":a", "", "##a"])
    func names(name: String) {
        #expect(
            refusal { _ = try Placeholders(names: [(Text(name), "x")]) }
                == "ExpressionAttributeNames contains invalid key: Syntax error; key: \"\(name)\"")
        let value = name == ":a" ? "#a" : name
        #expect(
            refusal { _ = try Placeholders(values: [(Text(value), #"{"S":""}"#)]) }
                == "ExpressionAttributeValues contains invalid key: Syntax error; key: \"\(value)\"")
    }

    @Test("Digits and an underscore may come first")
    func first() throws {
        var placeholders = try Placeholders(names: [("#_", "a"), ("#1a", "b")], values: [(":1", #"{"N":"1"}"#)])
        _ = try Condition("#_ = :1 OR #1a = :1", &placeholders)
        try placeholders.checkAllUsed()
    }

    @Test("What is empty, of another type or no value is refused, and null is as good as nothing")
    func refused() throws {
        #expect(
            refusal { _ = try Placeholders(names: [:], values: nil) } == "ExpressionAttributeNames must not be empty")
        #expect(
            refusal { _ = try Placeholders(names: nil, values: [:]) } == "ExpressionAttributeValues must not be empty")
        #expect(throws: ServiceError.self) { try Placeholders(names: [], values: nil) }
        #expect(throws: ServiceError.self) { try Placeholders(names: ["#a": 1], values: nil) }
        #expect(throws: ServiceError.self) { try Placeholders(names: ["#a": ""], values: nil) }
        #expect(
            refusal { _ = try Placeholders(values: [(":a", #"{"N":"x"}"#)]) }
                == "ExpressionAttributeValues contains invalid value: "
                + "The parameter cannot be converted to a numeric value: x for key :a")
        #expect(
            #expect(throws: ServiceError.self) { try Placeholders(values: [(":a", #"{"N":1}"#)]) }?.code
                == "SerializationException")
        try Placeholders(names: .null, values: .null).checkAllUsed()
    }
}
