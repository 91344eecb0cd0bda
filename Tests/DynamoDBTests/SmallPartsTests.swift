import Foundation
import Simdjson
import StreamModel
import Testing

@testable import DynamoDB

@Suite("CRC-32")
struct CRC32Tests {
    @Test("The known sums come out", arguments: [("123456789", 3_421_780_262), ("{}", 2_745_614_147), ("", 0)])
    func known(text: String, sum: UInt32) { #expect(CRC32.checksum(Array(text.utf8)) == sum) }

    @Test("Many bytes at a time is the same as one bit at a time, at every length")
    func lengths() {
        for count in Array(0..<300) + [1_000_003] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            let slow = ~bytes.reduce(UInt32.max) { crc, byte in
                (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            }
            #expect(CRC32.checksum(bytes) == slow)
        }
    }
}

@Suite("The Date header")
struct HTTPDateTests {
    @Test("A date is read by the Gregorian calendar, in UTC")
    func date() {
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp("1994-11-06T08:49:37Z"))
        #expect(Timestamp(httpDate: "Thu, 29 Feb 2024 00:00:00 GMT") == Timestamp("2024-02-29T00:00:00Z"))
    }

    @Test(
        "Anything else is no date",
        arguments: ["", "now", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT"])
    func nonsense(text: String) { #expect(Timestamp(httpDate: text) == nil) }
}

@Suite("A request's body")
struct RequestBodyTests {
    @Test("Strings are escaped so that JSON gives them back")
    func escapes() throws {
        let texts = ["plain", "quo\"te", "back\\slash", "\u{0}\u{1}\u{1F}\n\r\t", "ü€😀\u{2028}", ""]
        for text in texts {
            var body = RequestBody()
            body.add("Name", text)
            body.add("Count", 7)
            body.add("Flag", true)
            body.add("Raw", Array(#"{"pk":{"N":"1.50"}}"#.utf8))
            let object = try #require(try JSONSerialization.jsonObject(with: Data(body.bytes)) as? [String: Any])
            #expect(object["Name"] as? String == text)
            #expect(object["Count"] as? Int == 7)
            #expect(
                String(decoding: body.bytes, as: UTF8.self).hasSuffix(
                    #","Count":7,"Flag":true,"Raw":{"pk":{"N":"1.50"}}}"#))
        }
        #expect(RequestBody().bytes == Array("{}".utf8))
    }
}
