import Foundation
import Synchronization

/// A server that is started for the tests and ends with them: its script ends when nobody holds its standard input any more.
final class ThrowawayServer: Sendable {
    let url: String
    private let input: FileHandle
    private let output: FileHandle
    private let lines = Mutex<[UInt8]>([])

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameter script: in `tools`; its first line is the server's URL.
    init(_ script: String, _ arguments: [String] = []) throws {
        let process = Process()
        process.executableURL = Self.root.appendingPathComponent("tools/\(script)")
        process.arguments = arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.input = input.fileHandleForWriting
        self.output = output.fileHandleForReading
        url = try Self.line(of: output.fileHandleForReading)
    }

    /// Says a word to the script and gives its answer.
    func say(_ word: String) throws -> String {
        try lines.withLock { _ in
            try input.write(contentsOf: Data("\(word)\n".utf8))
            return try Self.line(of: output)
        }
    }

    private static func line(of file: FileHandle) throws -> String {
        var line: [UInt8] = []
        while let byte = try file.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard !line.isEmpty else { throw WireValue.Malformed("the server's script has ended") }
        return String(decoding: line, as: UTF8.self)
    }
}
