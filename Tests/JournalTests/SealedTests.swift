import Testing

@testable import Journal

@Suite("Sealed values")
struct SealedTests {
    private func sealed(_ bytes: [UInt8], under key: [UInt8]) -> [UInt8] {
        JournalTests.sealed(under: key) { $0.append(bytes.span) }
    }

    @Test("One or two flipped bits anywhere are seen")
    func flipped() {
        let key: [UInt8] = [0, 0, 0, 1]
        let value = sealed(Array("a checkpoint".utf8), under: key)
        #expect(Sealed.open(value, under: key) == Array("a checkpoint".utf8))
        let bits = value.count * 8
        for first in 0..<bits {
            for second in first..<bits {
                var damaged = value
                damaged[first / 8] ^= 1 << (first % 8)
                if second > first { damaged[second / 8] ^= 1 << (second % 8) }
                #expect(Sealed.open(damaged, under: key) == nil, "bits \(first) and \(second)")
            }
        }
    }

    @Test("A value that is cut off, or goes on with zeros, is seen, whatever its length")
    func length() {
        for count in 0...40 {
            let value = sealed([UInt8](repeating: 0, count: count), under: [7])
            #expect(Sealed.open(value, under: [7]) == [UInt8](repeating: 0, count: count))
            #expect(Sealed.open(value.dropLast(), under: [7]) == nil)
            #expect(Sealed.open(value + [0], under: [7]) == nil)
        }
    }

    @Test("A value does not open under another key")
    func otherKey() {
        let value = sealed([1, 2, 3], under: [1])
        #expect(Sealed.open(value, under: [1]) == [1, 2, 3])
        #expect(Sealed.open(value, under: [2]) == nil)
        #expect(Sealed.open(value, under: [1, 0]) == nil)
    }

    @Test("A number's key is its bytes, the big end first")
    func numbers() {
        for ordinal in [1, 255, 256, 0x0102_0304, UInt32.max] {
            var writer = WireWriter()
            writer.skip(Seal.count)
            writer.append([1, 2, 3].span)
            Sealed.seal(&writer, under: ordinal)
            #expect(Sealed.open(writer.written, under: Schema.key(shard: ordinal)) == [1, 2, 3])
        }
    }

    @Test("How far the log was compacted is as it was written, or is not believed")
    func compacted() throws {
        var compacted = Compacted()
        (compacted.position, compacted.history) = (Position(1000), Position(700))
        (compacted.events, compacted.stretches, compacted.unindexed) = (90, 8, 7)
        let value = compacted.value
        #expect(value.count == 48)
        #expect(Compacted(value) == compacted)
        for bit in 0..<value.count * 8 {
            var damaged = value
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(Compacted(damaged) == nil, "bit \(bit)")
        }
        #expect(Compacted(value.dropLast(8)) == nil)
    }

    /// Bytes as another program must make them: docs/JOURNAL-FORMAT.md, 3.2.
    @Test("The seal is this number")
    func golden() {
        #expect(
            Array(sealed(Array("a checkpoint".utf8), under: [0, 0, 0, 1]).prefix(Seal.count)) == [
                0x08, 0x10, 0x33, 0xF4, 0xF7, 0xBD, 0xFB, 0x46,
            ])
    }
}
