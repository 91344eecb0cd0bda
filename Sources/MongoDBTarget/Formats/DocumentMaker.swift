internal import MongoC
internal import Simdjson
internal import StreamModel
internal import Targets

/// Makes documents of items, in one walk over each.
///
/// It owns a parser, so it serves one thread at a time.
struct DocumentMaker: ~Copyable {
    private let values: ValueWriter
    private let keys: KeyFields
    private var reader = ItemReader()

    init(_ format: DocumentFormat, of table: TableSchema) {
        values = ValueWriter(format)
        keys = KeyFields(format, of: table)
    }

    /// The document of the item at `item`, a place in `body`. In NimoShake's formats it has no `_id`, which the server makes.
    ///
    /// - Parameters:
    ///   - key: of the item.
    ///   - stamp: which change it comes of, where that is to be kept beside it.
    /// - Throws: for an item that can't be one, with the attribute's name.
    mutating func document(
        of item: ByteRange, in body: [UInt8], key: CanonicalKey, stamp: WriteStamp? = nil
    ) throws(FormatError) -> Document {
        let (values, keys) = (values, keys)
        var failure: FormatError?
        let document: Document?
        do throws(SimdjsonError) {
            document = try reader.read(item, of: body) { tokens, texts throws(SimdjsonError) in
                // A document is about as long as its JSON: lengths and types stand where quotes and names did.
                var writer = DocumentWriter(reserving: Int(item.count) + Int(item.count) / 4 + 64)
                keys.writeIdentifier(key, to: &writer)
                stamp?.write(to: &writer)
                do throws(FormatError) { try values.members(of: 0, isTop: true, tokens, texts, to: &writer) } catch {
                    failure = error
                    return nil
                }
                return writer.finish()
            }
        } catch {
            throw .notAnItem(error)
        }
        if let failure { throw failure }
        guard let document else { preconditionFailure("it is a document, or has failed") }
        return document
    }
}

/// Writes attribute values, token by token.
struct ValueWriter: Sendable {
    private let format: DocumentFormat
    private let names: FieldNames

    init(_ format: DocumentFormat) {
        self.format = format
        names = format.names
    }

    /// The members of the map at a place, as fields.
    func members(
        of map: Int, isTop: Bool, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>, to writer: inout DocumentWriter
    ) throws(FormatError) {
        var place = map + 1
        for _ in 0..<tokens[map].children {
            let name = texts.extracting(tokens[place].name.range)
            names.write(name, isTop: isTop, to: &writer)
            do throws(FormatError) { try value(at: place, tokens, texts, to: &writer) } catch {
                throw error.below(texts.bytes(tokens[place].name))
            }
            place += tokens[place].size
        }
    }

    private func value(
        at place: Int, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>, to writer: inout DocumentWriter
    ) throws(FormatError) {
        let token = tokens[place]
        let isTyped = format.layout.hasTypes
        if isTyped {
            writer.beginDocument()
            writer.name(ItemTag.name(token.kind))
        }
        switch token.kind {
        case .string: writer.string(texts.extracting(token.text.range))
        case .number: try number(texts.extracting(token.text.range), to: &writer)
        case .binary: writer.binary(texts.extracting(token.text.range))
        case .bool: writer.bool(token.isTrue)
        case .null:
            // With types it says `{NULL: true}`, as DynamoDB does.
            if isTyped { writer.bool(true) } else { writer.null() }
        case .stringSet, .numberSet, .binarySet:
            writer.beginArray()
            try set(at: place, tokens, texts, to: &writer)
            writer.end()
        case .list:
            writer.beginArray()
            var element = place + 1
            for index in 0..<token.children {
                do throws(FormatError) { try value(at: element, tokens, texts, to: &writer) } catch {
                    throw error.below(element: index)
                }
                element += tokens[element].size
            }
            writer.end()
        case .map:
            writer.beginDocument()
            try members(of: place, isTop: false, tokens, texts, to: &writer)
            writer.end()
        }
        if isTyped { writer.end() }
    }

    private func number(_ text: Span<UInt8>, to writer: inout DocumentWriter) throws(FormatError) {
        guard let form = NumberForm(text, format.layout) else {
            let shown = String(decoding: text.indices.prefix(100).map { text[$0] }, as: UTF8.self)
            throw .notAnItem(.badValue(path: "", problem: "has \(shown), which is no number that DynamoDB can hold"))
        }
        try write(form, to: &writer)
    }

    private func write(_ form: NumberForm, to writer: inout DocumentWriter) throws(FormatError) {
        if case .text(let number) = form, !format.layout.hasTypes, format.inexact == .refuse {
            throw .inexact(attribute: "", number: String(decoding: number, as: UTF8.self))
        }
        form.write(to: &writer)
    }

    /// With types in whatever order they came; as a mere array in that of their values, so that an equal set is an equal array.
    private func set(
        at place: Int, _ tokens: Span<ItemToken>, _ texts: Span<UInt8>, to writer: inout DocumentWriter
    ) throws(FormatError) {
        let elements = place + 1..<place + tokens[place].size
        let kind = tokens[place].kind
        if format.layout.hasTypes {
            for element in elements {
                let text = texts.extracting(tokens[element].text.range)
                switch kind {
                case .numberSet: try number(text, to: &writer)
                case .binarySet: writer.binary(text)
                default: writer.string(text)
                }
            }
            return
        }
        let found = elements.map { texts.bytes(tokens[$0].text) }
        guard kind == .numberSet else {
            for element in SetOrder.texts(found) {
                if kind == .binarySet { writer.binary(element) } else { writer.string(element) }
            }
            return
        }
        var numbers: [[UInt8]] = []
        for text in found {
            guard let number = CanonicalNumber.make(text) else {
                let shown = String(decoding: text.prefix(100), as: UTF8.self)
                throw .notAnItem(.badValue(path: "", problem: "has \(shown), which is no number that DynamoDB can hold"))
            }
            numbers.append(number)
        }
        for number in SetOrder.numbers(numbers) {
            try write(NumberForm(canonical: number, format.layout), to: &writer)
        }
    }
}
