@testable import Journal
import Testing

@Suite("Sealed values")
struct SealedTests {
    @Test("One flipped bit anywhere is seen")
    func flipped() {
        let key: [UInt8] = [0, 0, 0, 1]
        let sealed = Sealed.seal(Array("a checkpoint".utf8), under: key)
        #expect(Sealed.open(sealed, under: key) == Array("a checkpoint".utf8))
        for index in sealed.indices {
            for bit in 0..<8 {
                var damaged = sealed
                damaged[index] ^= 1 << bit
                #expect(Sealed.open(damaged, under: key) == nil)
            }
        }
    }

    @Test("A value does not open under another key")
    func otherKey() {
        #expect(Sealed.open(Sealed.seal([1, 2, 3], under: [1]), under: [2]) == nil)
    }
}
