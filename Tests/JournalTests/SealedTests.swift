@testable import Journal
import Testing

@Suite("Sealed values")
struct SealedTests {
    @Test("One flipped bit anywhere is seen")
    func flipped() {
        let key: [UInt8] = [0, 0, 0, 1]
        var sealed = Sealed.unsealed(Array("a checkpoint".utf8))
        Sealed.seal(&sealed, under: key)
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
        var sealed = Sealed.unsealed([1, 2, 3])
        Sealed.seal(&sealed, under: [1])
        #expect(Sealed.open(sealed, under: [1]) == [1, 2, 3])
        #expect(Sealed.open(sealed, under: [2]) == nil)
    }
}
