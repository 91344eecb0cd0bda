import Foundation
import Glibc
import Synchronization

/// An HTTP server on this machine that answers by a script, and remembers what it was asked. One thread a connection.
final class TestServer: Sendable {
    struct Request: Sendable {
        /// Which connection it came over, from 0.
        let connection: Int
        /// Names in lower case.
        let headers: [String: String]
        let line: String
        let body: String

        /// The operation of `X-Amz-Target`.
        var operation: String {
            headers["x-amz-target"].flatMap { $0.split(separator: ".").last.map(String.init) } ?? ""
        }
    }

    enum Answer: Sendable {
        case respond(status: Int = 200, headers: [String: String] = [:], body: String)
        /// These bytes, and then the connection is closed.
        case bytes(String)
        /// Nothing, until the client hangs up.
        case silence
        /// The head and a part of the body, then nothing until the client hangs up.
        case stall(String)
    }

    private let core: Core

    /// - Parameter script: given a request and how many came before it.
    init(_ script: @escaping @Sendable (Request, Int) -> Answer) {
        core = Core(script)
        // A write to a client that hung up must not end the test process.
        signal(SIGPIPE, SIG_IGN)
        Thread.detachNewThread { [core] in core.accept() }
    }

    deinit { stop() }

    var port: Int { core.port }
    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { core.seen.withLock { $0 } }
    var connections: Int { Set(requests.map(\.connection)).count }
    /// Requests as they arrive.
    var arrivals: AsyncStream<Request> { core.arrivals }
    /// One element for each client that hung up while `silence` or `stall` lasted.
    var hangUps: AsyncStream<Void> { core.hangUps }

    /// Ends all connections and takes no more.
    func stop() { core.stop() }
}

/// What the server's threads hold, so that they don't hold the server itself.
private final class Core: Sendable {
    typealias Request = TestServer.Request
    typealias Answer = TestServer.Answer

    let port: Int
    /// `nil` once it was closed: its number may belong to another socket by then, of whichever test runs beside this one.
    private let listener: Mutex<Int32?>
    private let script: @Sendable (Request, Int) -> Answer
    let seen = Mutex<[Request]>([])
    private let open = Mutex<[Int32]>([])
    let arrivals: AsyncStream<Request>
    private let arrived: AsyncStream<Request>.Continuation
    let hangUps: AsyncStream<Void>
    private let hungUp: AsyncStream<Void>.Continuation

    init(_ script: @escaping @Sendable (Request, Int) -> Answer) {
        self.script = script
        (arrivals, arrived) = AsyncStream.makeStream()
        (hangUps, hungUp) = AsyncStream.makeStream()
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, size) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, pointer, &size) == 0
            }
        }
        precondition(isListening, "can't listen on 127.0.0.1")
        self.listener = Mutex(listener)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func stop() {
        listener.withLock { if let listener = $0 { shutdown(listener, Int32(SHUT_RDWR)) } }
        open.withLock { for connection in $0 { shutdown(connection, Int32(SHUT_RDWR)) } }
    }

    func accept() {
        var count = 0
        guard let listener = listener.withLock({ $0 }) else { return }
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { break }
            open.withLock { $0.append(connection) }
            let number = count
            count += 1
            Thread.detachNewThread { [self] in serve(connection, number) }
        }
        self.listener.withLock {
            close(listener)
            $0 = nil
        }
    }

    private func serve(_ connection: Int32, _ number: Int) {
        var input: [UInt8] = []
        defer {
            // Together: once closed, the number may belong to another.
            open.withLock { open in
                open.removeAll { $0 == connection }
                _ = close(connection)
            }
        }
        while let request = read(connection, number, &input) {
            let before = seen.withLock { seen in
                defer { seen.append(request) }
                return seen.count
            }
            arrived.yield(request)
            switch script(request, before) {
            case .respond(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) X\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                guard write(connection, head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body) else { return }
            case .bytes(let text):
                _ = write(connection, text)
                return
            case .silence:
                awaitHangUp(connection)
                return
            case .stall(let text):
                _ = write(connection, text)
                awaitHangUp(connection)
                return
            }
        }
    }

    private func awaitHangUp(_ connection: Int32) {
        var byte: UInt8 = 0
        while unsafe recv(connection, &byte, 1, 0) > 0 {}
        hungUp.yield()
    }

    private func read(_ connection: Int32, _ number: Int, _ input: inout [UInt8]) -> Request? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = input.indices.first(where: { input[$0...].starts(with: separator) }) {
                let lines = String(decoding: input[..<end], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                    headers[line[..<colon].lowercased()] = value
                }
                let start = end + separator.count
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                if input.count >= start + length {
                    let body = String(decoding: input[start..<start + length], as: UTF8.self)
                    input.removeFirst(start + length)
                    return Request(connection: number, headers: headers, line: lines[0], body: body)
                }
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            input += buffer[..<count]
        }
    }

    private func write(_ connection: Int32, _ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe send(connection, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
