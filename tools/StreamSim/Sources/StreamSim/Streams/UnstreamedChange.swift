/// A change of an item that no stream has a record of: its table had none that was switched on.
package struct UnstreamedChange: Sendable {
    /// The key, in the form of the wire.
    package let keys: [UInt8]
    /// When, in microseconds since 1970.
    package let made: Int64
}
