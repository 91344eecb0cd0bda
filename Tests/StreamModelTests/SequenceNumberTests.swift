import StreamModel
import Testing

@Suite("Sequence numbers")
struct SequenceNumberTests {
    /// FACTS 1.8: AWS's own example grows from 23 to 25 digits.
    @Test("They are ordered as numbers, whatever their lengths")
    func numeric() throws {
        let texts = ["20500000000000000910398", "820400000000000001192334", "1683700000000000001135967"]
        let numbers = try texts.map { try #require(SequenceNumber($0)) }
        #expect(numbers.shuffled().sorted() == numbers)
        #expect(texts.sorted() != texts)
    }

    @Test("Forty digits are told apart in every place")
    func fortyDigits() throws {
        let base = [UInt8](repeating: UInt8(ascii: "1"), count: 40)
        let number = try #require(SequenceNumber(base))
        for place in 0..<40 {
            var greater = base
            greater[place] += 1
            #expect(try #require(SequenceNumber(greater)) > number)
        }
    }

    @Test("The text comes back as it arrived, and padding says nothing about the place")
    func text() throws {
        let padded = try #require(SequenceNumber("000000000000000000047"))
        #expect(padded.text == "000000000000000000047")
        #expect(padded == SequenceNumber("47"))
        #expect(Set([padded, try #require(SequenceNumber("47"))]).count == 1)
        let long = String(repeating: "9876543210", count: 4)
        #expect(try #require(SequenceNumber(long)).text == long)
    }

    @Test(
        "What is no number is refused",
        arguments: ["", "12a", "-1", "+1", " 1", "1.0", String(repeating: "1", count: 41)])
    func refused(text: String) {
        #expect(SequenceNumber(text) == nil)
    }
}
