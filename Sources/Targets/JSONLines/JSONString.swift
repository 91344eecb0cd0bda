/// A JSON string of UTF-8 bytes (RFC 8259, 7).
func quoted(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    let quote = UInt8(ascii: "\"")
    var string = [quote]
    for byte in bytes {
        switch byte {
        case quote, UInt8(ascii: "\\"): string += [UInt8(ascii: "\\"), byte]
        case 0..<0x20: string += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: string.append(byte)
        }
    }
    return string + [quote]
}
