/// An array parameter in PostgreSQL's binary format, so that no element is quoted: a header, then each element's length and bytes.
///
/// Source: PostgreSQL, src/backend/utils/adt/arrayfuncs.c, `array_recv`: dimensions, whether there are NULLs, the elements' type, and for
/// each dimension its length and lower bound, all as 32-bit numbers, the highest byte first.
package struct BinaryArray: Sendable {
    /// Types whose binary format is known here.
    package enum Element: UInt32, Sendable {
        case bytea = 17
        case bigint = 20
        case text = 25
        case jsonb = 3802
    }

    private static let headerBytes = 20

    private let element: Element
    private(set) var bytes: [UInt8] = []
    package private(set) var count = 0
    package var size: Int { bytes.count }

    /// - Parameter bytes: how many the elements will have, about.
    package init(of element: Element, reserving bytes: Int = 0) {
        self.element = element
        self.bytes.reserveCapacity(Self.headerBytes + bytes)
        for number in [1, 1, element.rawValue, 0, 1] as [UInt32] { write(number) }
    }

    package mutating func append(null: Void) {
        write(UInt32(bitPattern: -1))
        grew()
    }

    /// An element of text or bytea.
    package mutating func append(_ value: some Collection<UInt8>) {
        write(UInt32(value.count))
        bytes.append(contentsOf: value)
        grew()
    }

    /// An element of jsonb: its text behind the number of its format's version.
    package mutating func append(json: some Collection<UInt8>) {
        write(UInt32(json.count + 1))
        bytes.append(1)
        bytes.append(contentsOf: json)
        grew()
    }

    package mutating func append(_ number: Int64) {
        write(UInt32(8))
        let bits = UInt64(bitPattern: number)
        write(UInt32(truncatingIfNeeded: bits >> 32))
        write(UInt32(truncatingIfNeeded: bits))
        grew()
    }

    private mutating func grew() {
        count += 1
        for (index, shift) in [24, 16, 8, 0].enumerated() {
            bytes[12 + index] = UInt8(truncatingIfNeeded: count >> shift)
        }
    }

    private mutating func write(_ number: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}
