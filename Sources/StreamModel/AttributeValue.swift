/// A DynamoDB value, equal exactly when DynamoDB holds two equal: numbers by value, sets without order, texts by their bytes.
///
/// For what looks at values (a comparison, typed columns). Records pass through to a target as bytes wherever it takes those.
package enum AttributeValue: Hashable, Sendable {
    /// UTF-8, JSON's escapes undone.
    case string([UInt8])
    /// In its canonical text (`CanonicalNumber`).
    case number([UInt8])
    /// Decoded.
    case binary([UInt8])
    case bool(Bool)
    case null
    case stringSet(Set<[UInt8]>)
    case numberSet(Set<[UInt8]>)
    case binarySet(Set<[UInt8]>)
    case list([AttributeValue])
    case map([[UInt8]: AttributeValue])
}
