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

    /// - Parameters:
    ///   - script: in `tools`; its first line is the server's URL.
    ///   - interpreter: on the PATH, for a script that is run by none of its own.
    init(_ script: String, _ arguments: [String] = [], by interpreter: String? = nil) throws {
        let process = Process()
        let path = Self.root.appendingPathComponent("tools/\(script)")
        process.executableURL = interpreter == nil ? path : URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = (interpreter.map { [$0, path.path] } ?? []) + arguments
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

    /// The same, where there is nothing to expect but that it was done.
    ///
    /// - Returns: what was said of it.
    @discardableResult
    func obey(_ word: String) throws -> String {
        let answer = try say(word)
        guard answer == "ok" || answer.hasPrefix("ok ") else { throw WireValue.Malformed("\(word): \(answer)") }
        return String(answer.dropFirst("ok ".count))
    }

    private static func line(of file: FileHandle) throws -> String {
        var line: [UInt8] = []
        while let byte = try file.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard !line.isEmpty else { throw WireValue.Malformed("the server's script has ended") }
        return String(decoding: line, as: UTF8.self)
    }
}
