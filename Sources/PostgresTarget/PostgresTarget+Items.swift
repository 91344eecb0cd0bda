internal import LibPQ
package import StreamModel
package import Targets

/// What a sweep and a comparison read.
extension PostgresTarget {
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        let place = names[table.name]
        let attributes = [table.hash, table.range].compactMap(\.self)
        return try access("listing the keys of \(place)") { session throws(PostgresError) in
            var parameters: [Parameter] = [.text("\(limit)")]
            if let key {
                for (value, attribute) in zip([key.hash, key.range].compactMap(\.self), attributes) {
                    parameters.append(Self.parameter(value, attribute))
                }
            }
            let rows = try session.connection.execute(
                schema.keys(table, as: place, isFirst: key == nil), parameters)
            return rows.values.map { row in
                CanonicalKey(
                    hash: Self.value(row[0], table.hash),
                    range: table.range.map { Self.value(row[1], $0) })
            }
        }
    }

    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? {
        let place = names[table.name]
        var arrays = TableRows.keyArrays(of: table)
        for key in keys { TableRows.append(key, of: table, to: &arrays) }
        return try access("reading rows of \(place)") { [arrays] session throws(PostgresError) in
            try session.connection.execute(schema.items(table, as: place), arrays.map { .array($0) }).values
                .map { $0[0].map { ItemText.unescaped(json: $0) } }
        }
    }

    private static func parameter(_ value: [UInt8], _ attribute: KeyAttribute) -> Parameter {
        switch attribute.type {
        case .string: .text(String(decoding: ItemText.escaped(value), as: UTF8.self))
        case .number: .text(String(decoding: value, as: UTF8.self))
        case .binary: .binary(value)
        }
    }

    private static func value(_ value: [UInt8]?, _ attribute: KeyAttribute) -> [UInt8] {
        let value = value ?? []
        return switch attribute.type {
        case .string: ItemText.unescaped(value)
        // A numeric keeps the zeros that it was written with, which a canonical number has none of.
        case .number: CanonicalNumber.make(value) ?? value
        case .binary: Self.bytes(hexadecimal: value)
        }
    }

    private static func bytes(hexadecimal text: [UInt8]) -> [UInt8] {
        func digit(_ byte: UInt8) -> UInt8 {
            byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : byte - UInt8(ascii: "a") + 10
        }
        return stride(from: 0, to: text.count - 1, by: 2).map { digit(text[$0]) << 4 | digit(text[$0 + 1]) }
    }
}
