@testable import StreamSim

extension JSON {
    /// A text that is written in a test. (`JSON("…")` is a string.)
    static func read(_ text: String) throws(JSONError) -> JSON { try JSON(parsing: Array(text.utf8)) }

    var written: String { String(decoding: bytes, as: UTF8.self) }
}

extension Attributes {
    /// Of the wire form.
    init(_ text: String) throws { self = try Attributes(.read(text)) }

    var written: String { String(decoding: bytes, as: UTF8.self) }
}

extension AttributeValue {
    init(wire text: String) throws { self = try AttributeValue(.read(text)) }

    var written: String {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What the service says to what the body does.
func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ServiceError {
        return error.message
    } catch {
        return "\(error)"
    }
}

extension Placeholders {
    /// From the wire forms of the values.
    init(names: [(Text, JSON)] = [], values: [(Text, String)] = []) throws {
        let values = try values.map { JSON.Member($0.0, try .read($0.1)) }
        try self.init(
            names: names.isEmpty ? nil : .object(names.map { JSON.Member($0.0, $0.1) }),
            values: values.isEmpty ? nil : .object(values))
    }
}
