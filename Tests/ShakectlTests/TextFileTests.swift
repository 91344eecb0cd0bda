import Foundation
import Testing

@testable import shakectl

@Suite("A file that an operator wrote")
struct TextFileTests {
    @Test("Its text is read, to the last byte")
    func text() throws {
        let path = NSTemporaryDirectory() + "shakectl-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("journal: ä\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try TextFile.read(path) == "journal: ä\n")
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(try TextFile.read(path) == "")
        try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
        #expect { try TextFile.read(path) } throws: { "\($0)".hasPrefix("\(path): this is not UTF-8") }
    }

    @Test("One that isn't there is none, and a folder is an error")
    func others() throws {
        #expect(try TextFile.read("/no/such/file.yaml") == nil)
        #expect { try TextFile.read(NSTemporaryDirectory()) } throws: { ($0 as? ShakectlError)?.exitCode == 78 }
    }
}
