/// A value of a statement.
package struct Parameter: Sendable {
    /// `nil` is NULL.
    let bytes: [UInt8]?
    let isBinary: Bool

    private init(_ bytes: [UInt8]?, isBinary: Bool) {
        self.bytes = bytes
        self.isBinary = isBinary
    }

    /// In the text format, in UTF-8 and without a zero byte.
    package static func text(_ text: String?) -> Parameter {
        Parameter(text.map { Array($0.utf8) + [0] }, isBinary: false)
    }

    /// In the binary format of its type.
    package static func binary(_ bytes: [UInt8]) -> Parameter { Parameter(bytes, isBinary: true) }
    package static func array(_ array: BinaryArray) -> Parameter { Parameter(array.bytes, isBinary: true) }
}
