extension Array where Element == UInt8 {
    /// A copy.
    package init(_ bytes: Span<UInt8>) {
        // Safe: the bytes are copied before the span is given back.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
