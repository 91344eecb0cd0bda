import StreamModel
import Testing

@testable import Targets

@Suite("A file's token")
struct FileTokenTests {
    @Test("comes back from its text as it was")
    func text() {
        let token = FileToken(offset: 5000, tail: Array("the last line\n".utf8)[...])
        #expect(FileToken(token.token) == token)
    }

    @Test("fits the bytes that it was made of, and no others")
    func fits() {
        let tail = Array("the last line\n".utf8)
        let token = FileToken(offset: 14, tail: tail[...])
        #expect(token.fits(tail))
        #expect(!token.fits(Array(tail.dropFirst())))
        #expect(!token.fits(Array("the lost line\n".utf8)))
    }

    @Test("looks at a bounded number of bytes")
    func bounded() {
        let token = FileToken(offset: 100_000, tail: [UInt8](repeating: 1, count: 100_000)[...])
        #expect(token.count == FileToken.window)
    }

    @Test(
        "is not made of what this target has not written",
        arguments: [
            "", "12", "12:3", "12:3:zz", "-1:0:0", "1:2:0", "12:-3:ff", "12:3:ff:1", "12:99999:ff",
        ])
    func foreign(text: String) { #expect(FileToken(TargetToken(text)) == nil) }
}
