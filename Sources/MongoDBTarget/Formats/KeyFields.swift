internal import MongoC
internal import Simdjson
internal import StreamModel
internal import Targets

/// Where the key of a table's items stands in their documents, and how they are found by it.
///
/// In Shake's formats it is the `_id`: the value itself, or for two attributes `{customer: "a", order: 5}`, always in that order, since
/// MongoDB tells `{a, b}` and `{b, a}` apart. They are called like the attributes, so that it says what it is and
/// `{"_id.customer": "a"}` can be asked for. In NimoShake's formats it is the attributes' fields, on which a unique index lies.
///
/// A number that is no number in BSON, one of 35 to 38 digits, is a text there: numbers come first, in their order, and those texts
/// behind them. So the order of keys is a total one, though not that of the numbers.
struct KeyFields: Hashable, Sendable {
    private struct Attribute: Hashable, Sendable {
        let type: ScalarType
        /// What it is called within an `_id`.
        let name: [UInt8]
        /// Its field, and in `raw` the type's in it: `status.S`.
        let path: [UInt8]
        /// The same in steps.
        let steps: [[UInt8]]
    }

    private static let identifier = Array("_id".utf8)

    private let format: DocumentFormat
    private let hash: Attribute
    private let range: Attribute?

    init(_ format: DocumentFormat, of table: TableSchema) {
        self.format = format
        let names = format.names
        func attribute(_ key: KeyAttribute) -> Attribute {
            let steps = Self.steps(to: key, format)
            return Attribute(
                type: key.type, name: names.field(key.name, isTop: false), path: Array(steps.joined(separator: [UInt8(ascii: ".")])),
                steps: steps)
        }
        hash = attribute(table.hash)
        range = table.range.map(attribute)
    }

    static func steps(to attribute: KeyAttribute, _ format: DocumentFormat) -> [[UInt8]] {
        let field = format.names.field(attribute.name, isTop: true)
        return format.layout.hasTypes ? [field, Array(attribute.type.rawValue.utf8)] : [field]
    }

    private var attributes: [Attribute] { [hash, range].compactMap(\.self) }

    // MARK: To a document

    /// The `_id` of a document that is to be written; nothing in NimoShake's formats, where the server makes one.
    func writeIdentifier(_ key: CanonicalKey, to writer: inout DocumentWriter) {
        guard !format.layout.isNimoShakes else { return }
        writer.name(Self.identifier)
        writeValue(of: key, to: &writer)
    }

    private func writeValue(of key: CanonicalKey, to writer: inout DocumentWriter) {
        guard let range, let value = key.range else { return write(key.hash, of: hash, to: &writer) }
        writer.beginDocument()
        writer.name(hash.name)
        write(key.hash, of: hash, to: &writer)
        writer.name(range.name)
        write(value, of: range, to: &writer)
        writer.end()
    }

    private func write(_ value: [UInt8], of attribute: Attribute, to writer: inout DocumentWriter) {
        switch attribute.type {
        case .string: writer.string(value)
        case .binary: writer.binary(value)
        case .number: NumberForm(canonical: value, format.layout).write(to: &writer)
        }
    }

    // MARK: Filters

    /// The document of a key.
    func filter(of key: CanonicalKey) -> Document {
        Document { writer in match(key, to: &writer) }
    }

    /// The same, but not where it holds a later change of the same shard than `stamp` is of. An upsert by it then ends in a duplicate
    /// key (11000), which says that there is nothing to be done.
    func filter(of key: CanonicalKey, notAfter stamp: WriteStamp) -> Document {
        Document { writer in
            match(key, to: &writer)
            stamp.writeGuard(to: &writer)
        }
    }

    /// The documents of several keys.
    func filter(of keys: [CanonicalKey]) -> Document {
        Document { writer in
            if format.layout.isNimoShakes, range != nil {
                guard !keys.isEmpty else {
                    // `$or` takes no empty list.
                    writer.name(hash.path)
                    Self.list("$in", to: &writer) { _ in }
                    return
                }
                writer.name("$or")
                writer.beginArray()
                for key in keys {
                    writer.beginDocument()
                    match(key, to: &writer)
                    writer.end()
                }
                writer.end()
            } else {
                writer.name(format.layout.isNimoShakes ? hash.path : Self.identifier)
                Self.list("$in", to: &writer) { writer in
                    for key in keys { writeValue(of: key, to: &writer) }
                }
            }
        }
    }

    private static func list(
        _ name: String, to writer: inout DocumentWriter, _ elements: (inout DocumentWriter) -> Void
    ) {
        writer.beginDocument()
        writer.name(name)
        writer.beginArray()
        elements(&writer)
        writer.end()
        writer.end()
    }

    private func match(_ key: CanonicalKey, to writer: inout DocumentWriter) {
        guard format.layout.isNimoShakes else { return writeIdentifier(key, to: &writer) }
        writer.name(hash.path)
        write(key.hash, of: hash, to: &writer)
        guard let range, let value = key.range else { return }
        writer.name(range.path)
        write(value, of: range, to: &writer)
    }

    // MARK: Page by page

    /// `sort` of a query that lists keys: an order in which no two documents are the same.
    var order: Document {
        Document { writer in
            for path in format.layout.isNimoShakes ? attributes.map(\.path) : [Self.identifier] {
                writer.name(path)
                writer.int32(1)
            }
        }
    }

    /// `projection` of what `key(of:)` reads.
    var projection: Document {
        Document { writer in
            if format.layout.isNimoShakes {
                writer.name(Self.identifier)
                writer.int32(0)
            }
            for path in format.layout.isNimoShakes ? attributes.map(\.path) : [Self.identifier] {
                writer.name(path)
                writer.int32(1)
            }
        }
    }

    /// The documents behind `key` in that order; from the first where there is none.
    ///
    /// A comparison such as `$gt` finds values of its own type only (numbers are one): behind a number all texts come, too.
    func page(after key: CanonicalKey?) -> Document {
        guard let key else { return everything }
        let behind: [Document]
        if !format.layout.isNimoShakes, range != nil {
            // Within documents all types are compared with each other.
            behind = [
                Self.comparison("$gt", Self.identifier) { writer in writeValue(of: key, to: &writer) }
            ]
        } else if let range, let value = key.range {
            let same = Document { writer in
                writer.name(hash.path)
                write(key.hash, of: hash, to: &writer)
            }
            behind =
                beyond(key.hash, of: hash, hash.path)
                + beyond(value, of: range, range.path).map { beyond in
                    Document { writer in
                        for element in [same, beyond].joined() {
                            writer.name(Array(element.name))
                            writer.value(element.value)
                        }
                    }
                }
        } else {
            behind = beyond(key.hash, of: hash, format.layout.isNimoShakes ? hash.path : Self.identifier)
        }
        guard behind.count > 1 else { return behind[0] }
        return Document { writer in
            writer.name("$or")
            writer.beginArray()
            for filter in behind { writer.document(filter) }
            writer.end()
        }
    }

    /// All that has a key. In NimoShake's collections there may be documents that somebody else has put there.
    private var everything: Document {
        guard format.layout.isNimoShakes else { return Document() }
        return Document { writer in
            for attribute in attributes {
                writer.name(attribute.path)
                writer.beginDocument()
                writer.name("$exists")
                writer.bool(true)
                writer.end()
            }
        }
    }

    private func beyond(_ value: [UInt8], of attribute: Attribute, _ path: [UInt8]) -> [Document] {
        let greater = Self.comparison("$gt", path) { writer in write(value, of: attribute, to: &writer) }
        guard attribute.type == .number, format.layout != .raw else { return [greater] }
        if case .text = NumberForm(canonical: value, format.layout) { return [greater] }
        return [greater, Self.comparison("$type", path) { writer in writer.string("string") }]
    }

    private static func comparison(
        _ name: String, _ path: [UInt8], _ value: (inout DocumentWriter) -> Void
    ) -> Document {
        Document { writer in
            writer.name(path)
            writer.beginDocument()
            writer.name(name)
            value(&writer)
            writer.end()
        }
    }

    // MARK: From a document

    /// - Throws: where it has none of the table's.
    func key(of document: Document) throws(FormatError) -> CanonicalKey {
        guard format.layout.isNimoShakes else { return try identified(document[Self.identifier]) }
        let hash = try value(at: hash, of: document)
        guard let range else { return CanonicalKey(hash: hash, range: nil) }
        return CanonicalKey(hash: hash, range: try value(at: range, of: document))
    }

    private func identified(_ id: BSONValue?) throws(FormatError) -> CanonicalKey {
        guard let range else { return CanonicalKey(hash: try Self.bytes(id, hash, "_id"), range: nil) }
        guard case .document(let document)? = id, document.names == [hash.name, range.name] else {
            let names = [hash.name, range.name].map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
            throw .foreign(field: "_id", problem: "is not of the form {\(names)}")
        }
        let values = document.values
        return CanonicalKey(
            hash: try Self.bytes(values[0], hash, "_id"), range: try Self.bytes(values[1], range, "_id"))
    }

    private func value(at attribute: Attribute, of document: Document) throws(FormatError) -> [UInt8] {
        let value = attribute.steps.reduce(BSONValue.document(document) as BSONValue?) { $0?.document?[$1] }
        return try Self.bytes(value, attribute, String(decoding: attribute.path, as: UTF8.self))
    }

    private static func bytes(
        _ value: BSONValue?, _ attribute: Attribute, _ path: String
    ) throws(FormatError) -> [UInt8] {
        guard let value else { throw .foreign(field: path, problem: "is missing, and the table's key is there") }
        switch (attribute.type, value) {
        case (.string, .string(let text)): return text
        case (.binary, .binary(let bytes, subtype: _)): return bytes
        case (.number, _):
            guard let number = NumberForm.text(of: value) else { break }
            return number
        default: break
        }
        throw .foreign(field: path, problem: "is not of the type \(attribute.type.rawValue) that the table's key has")
    }
}
