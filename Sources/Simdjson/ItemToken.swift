internal import CSimdjson
package import StreamModel

/// One attribute value of an item that was read, or one element of a set.
///
/// An item is a row of these: first the item itself, a map, then its attributes, each with all that lies below it before the next.
package struct ItemToken: Sendable {
    /// DynamoDB's types (API Reference, AttributeValue).
    package enum Kind: UInt8, Sendable {
        case string, number, binary, bool, null, stringSet, numberSet, binarySet, list, map
    }

    private let token: csj_token

    package var kind: Kind {
        guard let kind = Kind(rawValue: token.kind) else { preconditionFailure("the shim knows ten types") }
        return kind
    }

    /// Of a map's member, within the texts.
    package var name: ByteRange { ByteRange(offset: token.name.offset, count: token.name.count) }
    /// Within the texts. S: UTF-8, JSON's escapes undone. N: as it came. B: decoded.
    package var text: ByteRange { ByteRange(offset: token.text.offset, count: token.text.count) }
    package var isTrue: Bool { token.is_true != 0 }
    /// Elements of a set or list, members of a map. The first follows right behind.
    package var children: Int { Int(token.children) }
    /// Tokens with itself and all that lies below: how far it is to its next sibling.
    package var size: Int { Int(token.size) }
}
