/// ExpressionAttributeNames and ExpressionAttributeValues of a call. All of its expressions take from one of these.
package struct Placeholders: Sendable {
    private struct Entry<Value: Sendable>: Sendable {
        let name: Text
        let value: Value
        var isUsed = false
    }

    private var names: [Entry<Text>] = []
    private var values: [Entry<AttributeValue>] = []

    /// For a call without any.
    package init() {}

    package init(names: JSON?, values: JSON?) throws(ServiceError) {
        for member in try Self.members(names, of: "ExpressionAttributeNames", sigil: UInt8(ascii: "#")) {
            guard case .string(let name) = member.value else {
                throw .serialization("An attribute name in ExpressionAttributeNames is no string")
            }
            guard !name.isEmpty, name.bytes.count < 65536 else {
                throw .validation(
                    "ExpressionAttributeNames contains invalid value: "
                        + "a name must have between 1 and 65535 bytes for key \(member.name)")
            }
            self.names.append(Entry(name: member.name, value: name))
        }
        for member in try Self.members(values, of: "ExpressionAttributeValues", sigil: UInt8(ascii: ":")) {
            do throws(ServiceError) {
                self.values.append(Entry(name: member.name, value: try AttributeValue(member.value)))
            } catch {
                guard error.code == "ValidationException" else { throw error }
                throw .validation(
                    "ExpressionAttributeValues contains invalid value: \(error.message) for key \(member.name)")
            }
        }
    }

    private static func members(
        _ json: JSON?, of parameter: String, sigil: UInt8
    ) throws(ServiceError) -> [JSON.Member] {
        guard let json, !json.isNull else { return [] }
        guard let members = json.members else { throw .serialization("Unexpected field type") }
        guard !members.isEmpty else { throw .validation("\(parameter) must not be empty") }
        for member in members {
            let name = member.name.bytes
            guard name.count > 1, name[0] == sigil, name.dropFirst().allSatisfy(ExpressionToken.isWordByte) else {
                throw .validation("\(parameter) contains invalid key: Syntax error; key: \"\(member.name)\"")
            }
        }
        return members
    }

    mutating func name(_ placeholder: Text) -> Text? {
        guard let index = names.firstIndex(where: { $0.name == placeholder }) else { return nil }
        names[index].isUsed = true
        return names[index].value
    }

    mutating func value(_ placeholder: Text) -> AttributeValue? {
        guard let index = values.firstIndex(where: { $0.name == placeholder }) else { return nil }
        values[index].isUsed = true
        return values[index].value
    }

    /// After all expressions of the call.
    ///
    /// - Throws: `ValidationException` where none used one of them.
    package func checkAllUsed() throws(ServiceError) {
        try Self.check(names, "ExpressionAttributeNames")
        try Self.check(values, "ExpressionAttributeValues")
    }

    private static func check<Value>(_ entries: [Entry<Value>], _ parameter: String) throws(ServiceError) {
        let unused = entries.filter { !$0.isUsed }.map(\.name.string)
        guard unused.isEmpty else {
            throw .validation(
                "Value provided in \(parameter) unused in expressions: keys: {\(unused.joined(separator: ", "))}")
        }
    }
}
