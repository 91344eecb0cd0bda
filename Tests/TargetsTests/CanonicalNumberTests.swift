import StreamModel
import Testing

@Suite("The canonical text of a number")
struct CanonicalNumberTests {
    private func canonical(_ text: String) -> String? {
        CanonicalNumber.make(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "is plain decimal notation without anything superfluous",
        arguments: [
            ("1", "1"), ("1.0", "1"), ("1e0", "1"), ("0.1E1", "1"), ("10e-1", "1"), ("+1", "1"), ("001", "1"),
            ("1.", "1"),
            ("0", "0"), ("-0", "0"), ("0.000", "0"), ("0E+125", "0"), ("-0e-400", "0"),
            ("-1.50", "-1.5"), (".5", "0.5"), ("-.5", "-0.5"), ("100", "100"), ("1e2", "100"), ("1E+2", "100"),
            ("0.001", "0.001"), ("1e-3", "0.001"), ("123.456e1", "1234.56"), ("123.456e3", "123456"),
            ("123.456e5", "12345600"),
            ("00100.00100", "100.001"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("1.2345678901234567890123456789012345678E37", "12345678901234567890123456789012345678"),
        ])
    func plain(text: String, expected: String) { #expect(canonical(text) == expected) }

    @Test("holds both ends of DynamoDB's range exactly")
    func ends() {
        #expect(canonical("1E-130") == "0." + String(repeating: "0", count: 129) + "1")
        #expect(
            canonical("-9.9999999999999999999999999999999999999E+125")
                == "-" + String(repeating: "9", count: 38) + String(repeating: "0", count: 88))
    }

    @Test(
        "is refused to what is no number, or lies outside the range",
        arguments: [
            "", "-", "+", ".", "e", "e1", "1e", "1e+", "1e1.5", "abc", "1 ", " 1", "1,5", "0x10", "12abc", "--1", "1-",
            "1.2.3",
            "Infinity", "NaN", "1E+126", "1E-131", "1e999999999", "1e-99999999999999999999", "١",
        ])
    func refused(text: String) { #expect(canonical(text) == nil) }

    @Test("is the same for every way to write a number, and another one for every other number")
    func spellings() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let digits = (0..<Int.random(in: 1...38, using: &random)).map { _ in
                "\(Int.random(in: 0...9, using: &random))"
            }
            .joined()
            let exponent = Int.random(in: -60...60, using: &random)
            let point = Int.random(in: 0...digits.count, using: &random)
            let index = digits.index(digits.startIndex, offsetBy: point)
            let whole = "\(digits)E\(exponent)"
            let pointed = "\(digits[..<index]).\(digits[index...])0e\(exponent + digits.count - point)"
            #expect(canonical(whole) == canonical(pointed), "\(whole) and \(pointed)")
            #expect(canonical(canonical(whole) ?? "?") == canonical(whole), "\(whole)")
            #expect(canonical("\(digits)1E\(exponent)") != canonical("\(digits)2E\(exponent)"), "\(digits)")
        }
    }
}
