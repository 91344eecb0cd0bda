internal import Targets

/// Typed columns that a table has beside the item, each of one attribute: made by the server from the item, so that they can't differ
/// from it. An attribute that is absent, or of another of DynamoDB's types, is NULL there.
struct Columns: Hashable, Sendable {
    static let option = TargetOption(
        "columns",
        keysAndValues: "types by tables and attributes, such as {orders: {total: numeric, note: text}}; "
            + "the types are text, numeric, bigint, boolean, bytea and jsonb", depth: 2)

    enum Kind: String, CaseIterable, Sendable {
        case text, numeric, bigint, boolean, bytea, jsonb
    }

    struct Column: Hashable, Sendable {
        let attribute: String
        let kind: Kind

        /// What the server makes it of.
        var expression: String {
            let value = "item -> \(PostgresSchema.literal(attribute))"
            return switch kind {
            case .text: "\(value) ->> 'S'"
            case .numeric, .bigint: "(\(value) ->> 'N')::\(kind.rawValue)"
            case .boolean: "(\(value) ->> 'BOOL')::boolean"
            case .bytea: "decode(\(value) ->> 'B', 'base64')"
            case .jsonb: value
            }
        }
    }

    private let tables: [String: [Column]]

    /// - Throws: `.misconfigured` for a type that is none of them, and for a name that is taken.
    init(_ options: TargetOptions, target: String) throws(TargetError) {
        var tables: [String: [Column]] = [:]
        for entry in options.entries where entry.path.first == Self.option.name && entry.path.count == 3 {
            guard let kind = Kind(rawValue: entry.value) else {
                throw .misconfigured(
                    target: target, reason: "'\(entry.path.joined(separator: "."))' expects one of \(Self.kinds)")
            }
            let attribute = entry.path[2]
            guard !PostgresSchema.reserved.contains(attribute) else {
                throw .misconfigured(
                    target: target,
                    reason: "'\(entry.path.joined(separator: "."))': \(attribute) is a column that each table has: the "
                        + "attribute is found in item")
            }
            tables[entry.path[1], default: []].append(Column(attribute: attribute, kind: kind))
        }
        self.tables = tables
    }

    private static let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")

    subscript(table: String) -> [Column] { (tables[table] ?? []).sorted { $0.attribute < $1.attribute } }
}
