internal import MongoC
internal import StreamModel

/// How a collection is filled, kept beside it: so what was written in one format is never mixed with another, or under other keys.
struct TableRecord: Hashable {
    static let collection = "_shake_tables"

    private let format: String
    private let key: [KeyAttribute]

    init(_ table: TableSchema, _ format: DocumentFormat) {
        self.format = format.layout.rawValue
        key = [table.hash, table.range].compactMap(\.self)
    }

    func document(of place: String) -> Document {
        Document { writer in
            writer.name("_id")
            writer.string(place)
            writer.name("format")
            writer.string(format)
            writer.name("key")
            writer.beginArray()
            for attribute in key {
                writer.beginDocument()
                writer.name("name")
                writer.string(attribute.name)
                writer.name("type")
                writer.string(attribute.type.rawValue)
                writer.end()
            }
            writer.end()
        }
    }

    /// What differs from what was recorded; `nil` where nothing does.
    func difference(from other: Document) -> String? {
        if let other = other["format"]?.text, other != format {
            return "it was filled in the format \(other), where \(format) is asked for"
        }
        let found = (other["key"]?.array?.values ?? []).compactMap(\.document).compactMap { one -> KeyAttribute? in
            guard case .string(let name)? = one["name"], let type = one["type"]?.text.flatMap(ScalarType.init) else {
                return nil
            }
            return KeyAttribute(name: name, type: type)
        }
        guard found != key else { return nil }
        func words(_ key: [KeyAttribute]) -> String {
            key.map { "\(String(decoding: $0.name, as: UTF8.self)) (\($0.type.rawValue))" }.joined(separator: ", ")
        }
        return "it was filled under the key \(words(found)), where the table has \(words(key))"
    }
}
