internal import StreamModel
internal import Targets

/// How items are kept in documents.
struct DocumentFormat: Hashable, Sendable {
    enum Layout: String, CaseIterable, Sendable {
        /// Each attribute with its type, `{age: {N: 5}}`, so that every item comes back as it was.
        case typed
        /// Each attribute as MongoDB's own type for it, `{age: 5}`: a set is an array, and comes back as a list.
        case plain
        /// NimoShake's three, for going on with what it has filled. `raw` has types, and numbers as texts.
        case raw
        case change
        /// Numbers are doubles, where that is the number.
        case mchange

        /// Documents have an ObjectId as their `_id`, and a unique index on the key's fields.
        var isNimoShakes: Bool {
            switch self {
            case .typed, .plain: false
            case .raw, .change, .mchange: true
            }
        }

        /// Whether an attribute's value is a document of one field that is called like its type.
        var hasTypes: Bool {
            switch self {
            case .typed, .raw: true
            case .plain, .change, .mchange: false
            }
        }
    }

    /// What becomes of a number that BSON has no number for: one of 35 to 38 digits. With types it is always a text, which
    /// still is known to be a number.
    enum Inexact: String, CaseIterable, Sendable {
        /// The record is put aside, with the attribute's name.
        case refuse
        /// Its text, which comes back as a string.
        case string
    }

    static let layoutOption = TargetOption("format", Layout.self)
    static let inexactOption = TargetOption("inexact", Inexact.self)
    static let prefixOption = TargetOption(
        "id_prefix", expects: "NimoShake's convert._id: what stands before an attribute that is called _id, such as pre")
    static let options = [layoutOption, inexactOption, prefixOption]

    let layout: Layout
    let inexact: Inexact
    /// NimoShake's `convert._id`.
    let prefix: [UInt8]

    init(_ layout: Layout = .typed, inexact: Inexact = .refuse, prefix: String = "pre") {
        self.layout = layout
        self.inexact = inexact
        self.prefix = Array(prefix.utf8)
    }

    /// - Throws: `.misconfigured` for an option that has no effect in the format that is asked for.
    init(_ options: TargetOptions, target: String) throws(TargetError) {
        let layout = options.choice(Self.layoutOption, as: Layout.self) ?? .typed
        let inexact = options.choice(Self.inexactOption, as: Inexact.self)
        let prefix = options.text(Self.prefixOption)
        if inexact != nil, layout.hasTypes {
            throw .misconfigured(
                target: target,
                reason: "'inexact' says nothing in the format \(layout.rawValue), which holds every number exactly: leave it out")
        }
        if prefix != nil, !layout.isNimoShakes {
            throw .misconfigured(
                target: target,
                reason: "'id_prefix' is of NimoShake's formats raw, change and mchange, and the format is \(layout.rawValue): leave it out")
        }
        if let prefix, prefix.isEmpty || prefix.utf8.contains(where: { Self.signs.contains($0) }) {
            throw .misconfigured(
                target: target, reason: "'id_prefix' is at least one character, and none of them is a dot, $ or %")
        }
        self.init(layout, inexact: inexact ?? .refuse, prefix: prefix ?? "pre")
    }

    /// What a prefix can't hold: it would be escaped.
    private static let signs: [UInt8] = [0, UInt8(ascii: "."), UInt8(ascii: "$"), UInt8(ascii: "%")]

    var names: FieldNames {
        switch layout {
        case .typed, .plain: FieldNames(.shake)
        case .raw, .change: FieldNames(.nimoShake(prefix: prefix, isEverywhere: true))
        case .mchange: FieldNames(.nimoShake(prefix: prefix, isEverywhere: false))
        }
    }

    /// What comes back of an item that is written (`Target.kept`).
    func kept(_ item: [[UInt8]: AttributeValue]) -> [[UInt8]: AttributeValue] {
        layout.hasTypes ? item : item.mapValues(kept)
    }

    private func kept(_ value: AttributeValue) -> AttributeValue {
        switch value {
        case .string, .binary, .bool, .null: value
        case .number(let number): kept(number)
        case .stringSet(let elements): .list(SetOrder.texts(elements).map { .string($0) })
        case .numberSet(let elements): .list(SetOrder.numbers(elements).map(kept))
        case .binarySet(let elements): .list(SetOrder.texts(elements).map { .binary($0) })
        case .list(let elements): .list(elements.map(kept))
        case .map(let members): .map(members.mapValues(kept))
        }
    }

    private func kept(_ number: [UInt8]) -> AttributeValue {
        if inexact == .string, case .text = NumberForm(canonical: number, layout) { return .string(number) }
        return .number(number)
    }
}

/// The order in which the elements of a set stand in an array, so that equal sets are equal arrays.
enum SetOrder {
    static func texts(_ elements: some Collection<[UInt8]>) -> [[UInt8]] {
        elements.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// - Parameter elements: canonical.
    static func numbers(_ elements: some Collection<[UInt8]>) -> [[UInt8]] {
        elements.sorted { CanonicalNumber.precedes($0, $1) }
    }
}
