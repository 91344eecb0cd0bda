/// Bytes that are no BSON document.
package struct BSONError: Error, Hashable, CustomStringConvertible {
    package let reason: String

    package var description: String { "no BSON document: \(reason)" }
}
