/// Why bytes are no JSON.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes before the place.
    package let offset: Int
    package let reason: String

    package var description: String { "no JSON: \(reason), at byte \(offset)" }
}
