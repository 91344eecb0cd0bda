import Testing

@testable import Curl

@Suite("The HTTP engine")
struct HTTPEngineTests {
    private static func request(_ server: TestServer, _ body: String = "{}") throws -> HTTPRequest {
        HTTPRequest(
            .post, try HTTPURL(server.url), headers: [HTTPHeader("content-type", "text/x")], body: Array(body.utf8))
    }

    @Test("Requests one after the other share a connection")
    func keepAlive() async throws {
        let server = TestServer { request, _ in .respond(body: request.body) }
        let engine = try HTTPEngine()
        for number in 0..<20 {
            let response = try await engine.perform(Self.request(server, "\(number)"))
            #expect(response.status == 200 && response.body == Array("\(number)".utf8))
        }
        #expect(server.connections == 1)
        await engine.shutdown()
    }

    @Test(
        "A request that is sent once fails where a connection that had served before ends without an answer; others are sent again",
        arguments: [true, false])
    func sentOnce(isSentOnce: Bool) async throws {
        let server = TestServer { _, earlier in earlier == 1 ? .bytes("") : .respond(body: "fine") }
        let engine = try HTTPEngine(HTTPSettings())
        let request = HTTPRequest(.post, try HTTPURL(server.url), body: Array("put".utf8), isSentOnce: isSentOnce)
        #expect(try await engine.perform(request).status == 200)
        var error: CurlError?
        do throws(CurlError) { _ = try await engine.perform(request) } catch let caught { error = caught }
        #expect(error?.mayHaveArrived == (isSentOnce ? true : nil))
        #expect(server.requests.count == (isSentOnce ? 2 : 3))
        #expect(try await engine.perform(request).status == 200, "the handle serves again")
        await engine.shutdown()
    }

    @Test("Exactly the headers that were given are sent, besides length, host and user agent")
    func headers() async throws {
        let server = TestServer { _, _ in .respond(headers: ["X-One": "1", "x-two": "  2 "], body: "") }
        let engine = try HTTPEngine()
        let response = try await engine.perform(Self.request(server, String(repeating: "x", count: 2_000_000)))
        let sent = try #require(server.requests.first)
        #expect(sent.line == "POST / HTTP/1.1")
        #expect(
            Set(sent.headers.keys) == ["host", "user-agent", "content-type", "content-length"], "no Expect, no Accept")
        #expect(sent.body.utf8.count == 2_000_000)
        #expect(
            response.headers["X-ONE"] == "1" && response.headers["x-two"] == "2" && response.headers["x-three"] == nil)
        await engine.shutdown()
    }

    @Test("GET has no body, and nothing of the request before is left in the next")
    func methods() async throws {
        let server = TestServer { request, _ in .respond(body: request.line) }
        let engine = try HTTPEngine()
        let url = try HTTPURL(server.url + "/a?b=c")
        for (method, body) in [(HTTPRequest.Method.post, "x"), (.get, ""), (.put, "y"), (.post, ""), (.get, "")] {
            let response = try await engine.perform(HTTPRequest(method, url, body: Array(body.utf8)))
            #expect(String(decoding: response.body, as: UTF8.self) == "\(method.rawValue) /a?b=c HTTP/1.1")
            #expect(server.requests.last?.body == body)
        }
        await engine.shutdown()
    }

    @Test("A body has room behind it, whether or not its length was announced")
    func room() async throws {
        let text = String(repeating: "0123456789", count: 100_000)
        let server = TestServer { _, before in
            before == 0 ? .respond(body: text) : .bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text)
        }
        let engine = try HTTPEngine()
        for _ in 0..<2 {
            let body = try await engine.perform(Self.request(server)).body
            #expect(body == Array(text.utf8))
            #expect(body.capacity >= body.count + HTTPEngine.spareBytes)
        }
        await engine.shutdown()
    }

    @Test("No more transfers run at one time than allowed, and all get their turn")
    func bounded() async throws {
        let server = TestServer { request, _ in .respond(body: request.body) }
        var settings = HTTPSettings()
        settings.maximumTransfers = 3
        let engine = try HTTPEngine(settings)
        let answers = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<200 {
                group.addTask {
                    Int(
                        String(
                            decoding: try await engine.perform(Self.request(server, "\(number)")).body, as: UTF8.self))
                }
            }
            return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
        }
        #expect(answers == Set(0..<200))
        #expect(server.connections <= 3)
        await engine.shutdown()
    }

    /// A busy machine may let a test wait for longer than a request may take.
    private static func patientEngine(transfers: Int = 8) throws -> HTTPEngine {
        var settings = HTTPSettings()
        settings.maximumTransfers = transfers
        (settings.connectTimeout, settings.totalTimeout, settings.stallTimeout) = (
            .seconds(600), .seconds(600), .seconds(600)
        )
        return try HTTPEngine(settings)
    }

    @Test("Cancelling ends a transfer at once, and the connection with it")
    func cancelled() async throws {
        let server = TestServer { _, _ in .silence }
        let engine = try Self.patientEngine()
        let request = try Self.request(server)
        let task = Task { () -> CurlError? in
            do throws(CurlError) { _ = try await engine.perform(request) } catch { return error }
            return nil
        }
        for await _ in server.arrivals { break }
        task.cancel()
        #expect(await task.value == .cancelled)
        for await _ in server.hangUps { break }
        await engine.shutdown()
    }

    @Test("Cancelling takes out a request that waits for its turn, and one that never began")
    func cancelledWaiting() async throws {
        let server = TestServer { _, _ in .silence }
        let engine = try Self.patientEngine(transfers: 1)
        let request = try Self.request(server)
        func perform() -> Task<CurlError?, Never> {
            Task {
                do throws(CurlError) { _ = try await engine.perform(request) } catch { return error }
                return nil
            }
        }
        let first = perform()
        for await _ in server.arrivals { break }
        let waiting = perform()
        waiting.cancel()
        #expect(await waiting.value == .cancelled)
        first.cancel()
        #expect(await first.value == .cancelled)
        let never = Task { () -> CurlError? in
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            do throws(CurlError) { _ = try await engine.perform(request) } catch { return error }
            return nil
        }
        #expect(await never.value == .cancelled)
        #expect(server.requests.count == 1)
        await engine.shutdown()
    }

    @Test("A silent server, and one that stops in the middle, are given up on", .timeLimit(.minutes(5)))
    func timeouts() async throws {
        let server = TestServer { _, before in
            before == 0 ? .silence : .stall("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        }
        var settings = HTTPSettings()
        settings.totalTimeout = .milliseconds(100)
        let hasty = try HTTPEngine(settings)
        let request = try Self.request(server)
        var error = await #expect(throws: CurlError.self) { try await hasty.perform(request) }
        #expect(error.map { if case .timedOut = $0 { true } else { false } } == true)
        settings.totalTimeout = .seconds(50)
        settings.stallTimeout = .seconds(1)
        let patient = try HTTPEngine(settings)
        error = await #expect(throws: CurlError.self) { try await patient.perform(request) }
        #expect(error.map { if case .timedOut = $0 { true } else { false } } == true)
        await hasty.shutdown()
        await patient.shutdown()
    }

    @Test("A connection that closes in the middle of a body is an error, not a short body")
    func closedEarly() async throws {
        let server = TestServer { _, before in
            before == 0 ? .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") : .respond(body: "whole")
        }
        let engine = try HTTPEngine()
        let request = try Self.request(server)
        let error = await #expect(throws: CurlError.self) { try await engine.perform(request) }
        #expect(error.map { if case .broken = $0 { $0.isTransient } else { false } } == true)
        #expect(try await engine.perform(request).body == Array("whole".utf8))
        await engine.shutdown()
    }

    @Test("What isn't HTTP is an error")
    func notHTTP() async throws {
        let server = TestServer { _, _ in .bytes("SSH-2.0-OpenSSH_9.2\r\n") }
        let engine = try HTTPEngine()
        let request = try Self.request(server)
        await #expect(throws: CurlError.self) { try await engine.perform(request) }
        await engine.shutdown()
    }

    @Test("A body larger than allowed is refused, announced or not, and by announcement before it comes")
    func tooLarge() async throws {
        let server = TestServer { _, before in
            switch before {
            case 0: .respond(body: String(repeating: "x", count: 1001))
            case 1: .bytes("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1001))
            case 2: .stall("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nx")
            default: .respond(body: String(repeating: "x", count: 1000))
            }
        }
        var settings = HTTPSettings()
        settings.maximumBodyBytes = 1000
        let engine = try HTTPEngine(settings)
        let request = try Self.request(server)
        for _ in 0..<3 {
            await #expect(throws: CurlError.tooLarge(limit: 1000)) { try await engine.perform(request) }
        }
        #expect(try await engine.perform(request).body.count == 1000)
        await engine.shutdown()
    }

    @Test("Nobody listening is unreachable, and the text names host and port")
    func refused() async throws {
        let server = TestServer { _, _ in .silence }
        server.stop()
        let engine = try HTTPEngine()
        let port = server.port
        let request = try Self.request(server)
        let error = await #expect(throws: CurlError.self) { try await engine.perform(request) }
        #expect(
            error.map {
                if case .unreachable(let reason) = $0 { reason.contains("127.0.0.1 port \(port)") } else { false }
            } == true)
        await engine.shutdown()
    }

    @Test(
        "A line break in a header's value can't smuggle in another", arguments: ["a\r\nx-evil: 1", "a\nb", "a\u{0}b"])
    func injection(value: String) async throws {
        let server = TestServer { _, _ in .respond(body: "") }
        let engine = try HTTPEngine()
        let request = HTTPRequest(.post, try HTTPURL(server.url), headers: [HTTPHeader("x", value)])
        let error = await #expect(throws: CurlError.self) { try await engine.perform(request) }
        #expect(error.map { if case .invalidRequest = $0 { true } else { false } } == true)
        #expect(server.requests.isEmpty)
        await engine.shutdown()
    }

    @Test("Redirects aren't followed")
    func redirect() async throws {
        let server = TestServer { _, _ in .respond(status: 302, headers: ["Location": "http://127.0.0.1:1/"], body: "")
        }
        let engine = try HTTPEngine()
        #expect(try await engine.perform(Self.request(server)).status == 302)
        await engine.shutdown()
    }

    @Test("Shutting down ends what is under way and what waits, and refuses what comes after")
    func shutdown() async throws {
        let server = TestServer { _, _ in .silence }
        var settings = HTTPSettings()
        settings.maximumTransfers = 1
        let engine = try HTTPEngine(settings)
        let request = try Self.request(server)
        let tasks = (0..<3).map { _ in
            Task { () -> CurlError? in
                do throws(CurlError) { _ = try await engine.perform(request) } catch { return error }
                return nil
            }
        }
        for await _ in server.arrivals { break }
        await engine.shutdown()
        for task in tasks { #expect(await task.value == .closed) }
        await #expect(throws: CurlError.closed) { try await engine.perform(request) }
        await engine.shutdown()
    }

    @Test("An engine that is let go of ends its thread and its transfers")
    func letGo() async throws {
        let server = TestServer { _, _ in .respond(body: "") }
        do {
            let engine = try HTTPEngine()
            _ = try await engine.perform(Self.request(server))
        }
        // The connection closes with the engine; its server thread sees that and nothing else is left of it.
        #expect(server.requests.count == 1)
    }
}
