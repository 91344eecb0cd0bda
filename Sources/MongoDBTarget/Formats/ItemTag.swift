internal import Simdjson

/// DynamoDB's names for its types, as fields of documents in which each value has its type.
enum ItemTag {
    private static let names = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"].map { Array($0.utf8) }

    static func name(_ kind: ItemToken.Kind) -> [UInt8] { names[Int(kind.rawValue)] }

    static func kind(_ name: some Sequence<UInt8>) -> ItemToken.Kind? {
        names.firstIndex { $0.elementsEqual(name) }.flatMap { ItemToken.Kind(rawValue: UInt8($0)) }
    }
}
