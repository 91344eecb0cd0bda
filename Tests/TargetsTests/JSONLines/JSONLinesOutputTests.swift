import Foundation
import StreamModel
import Testing

@testable import Targets

@Suite("JSON Lines on standard output")
struct JSONLinesOutputTests {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private static let batch = Feed.batch(.people, [.insert(keys: ann, new: ann), .remove(keys: ann)])

    @Test("sends one line for each change down the pipe, and has no tokens")
    func pipe() async throws {
        let pipe = Pipe()
        let target = JSONLinesOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        try await target.open(recoveringTo: [TargetToken("12:3:ff")])
        #expect(try await target.write([Self.batch, Self.batch]) == [nil, nil])
        try pipe.fileHandleForWriting.close()
        let lines = try Line.all(in: Array(try #require(try pipe.fileHandleForReading.readToEnd())))
        #expect(lines.map(\.event) == ["INSERT", "REMOVE", "INSERT", "REMOVE"])
    }

    @Test("waits for a slow reader of a pipe that doesn't block")
    func slowReader() async throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        let target = JSONLinesOutput(descriptor: descriptor)
        let item = #"{"id":{"S":"ann"},"v":{"S":"\#(String(repeating: "v", count: 300_000))"}}"#
        async let written = target.write([Feed.batch(.people, [.insert(keys: Self.ann, new: item)])])
        var bytes: [UInt8] = []
        // Not by FileHandle, which ends the process where a signal comes in between.
        var room = [UInt8](repeating: 0, count: 65_536)
        while bytes.last != UInt8(ascii: "\n") {
            let count = unsafe read(pipe.fileHandleForReading.fileDescriptor, &room, room.count)
            if count < 0, errno == EINTR { continue }
            try #require(count > 0)
            bytes += room[..<count]
        }
        #expect(try await written == [nil])
        #expect(try Line.all(in: bytes).first?.newImage == Array(item.utf8))
    }

    @Test("says that its reader is gone, and doesn't try again")
    func brokenPipe() async throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let target = JSONLinesOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let error = await #expect(throws: TargetError.self) { _ = try await target.write([Self.batch]) }
        #expect(error?.isRetryable == false)
        #expect(error?.description.contains("the reader of standard output is gone") == true)
    }
}
