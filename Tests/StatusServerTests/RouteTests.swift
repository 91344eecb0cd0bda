import Testing

@testable import StatusServer

@Suite("What is asked for")
struct RouteTests {
    private func status(_ path: String, _ query: String? = nil) -> Int? {
        do throws(RequestRefusal) {
            _ = try Route(path: path, query: query)
            return nil
        } catch {
            return error.status
        }
    }

    @Test("Each path is a route")
    func paths() throws {
        #expect(try Route(path: "/", query: nil) == .page(.html))
        #expect(try Route(path: "/page.js", query: nil) == .page(.js))
        #expect(try Route(path: "/livez", query: nil) == .livez)
        #expect(try Route(path: "/readyz", query: nil) == .readyz)
        #expect(try Route(path: "/metrics", query: nil) == .metrics)
        #expect(try Route(path: "/api/v1/status", query: nil) == .status)
        #expect(try Route(path: "/api/v1/shards", query: nil) == .shards(table: nil))
        #expect(try Route(path: "/api/v1/shards", query: "table=a%2Eb") == .shards(table: "a.b"))
        #expect(try Route(path: "/api/v1/state/4f2a", query: nil) == .state(shard: "4f2a", at: nil))
        #expect(
            try Route(path: "/api/v1/state/orders%2F4f2a", query: "at=15m") == .state(shard: "orders/4f2a", at: "15m"))
        #expect(try Route(path: "/api/v1/state/orders/4f2a", query: nil) == .state(shard: "orders/4f2a", at: nil))
    }

    @Test("A history has the words of the command, and a limit")
    func history() throws {
        var question = Route.HistoryQuestion(shard: "4f2a")
        #expect(question.limit == 1000)
        question.limit = 20
        question.since = "2026-11-23T16:30+01:00"
        question.kinds = ["rewound", "faulted"]
        question.newestFirst = true
        let query = "limit=20&since=2026-11-23T16:30%2B01:00&event=rewound&event=faulted&reverse=1"
        #expect(try Route(path: "/api/v1/history/4f2a", query: query) == .history(question))
        for limit in ["0", "-1", "10001", "many", ""] {
            #expect(status("/api/v1/history/4f2a", "limit=\(limit)") == 400, "\(limit)")
        }
    }

    @Test("Where a stream of events goes on, the browser's last event wins over what the page asked for first")
    func resuming() throws {
        #expect(try Route(path: "/api/v1/events", query: nil) == .events(after: nil))
        #expect(try Route(path: "/api/v1/events", query: "after=7") == .events(after: 7))
        #expect(try Route(path: "/api/v1/events", query: "after=7", lastEventID: "12") == .events(after: 12))
        #expect(status("/api/v1/events", "after=now") == 400)
    }

    @Test("What is nowhere is not found, and what can't be meant is refused")
    func refused() {
        #expect(status("/nothing") == 404)
        #expect(status("/api/v1/history/") == 404)
        #expect(status("/page.html") == 404)
        #expect(status("/../etc/passwd") == 404)
        #expect(status("/api/v1/status", "tabel=a") == 400)
        #expect(status("/api/v1/shards", "table=a&table=b") == 400)
        #expect(status("/api/v1/state/%zz") == 400)
        #expect(status("/api/v1/state/%ff") == 400, "no UTF-8")
    }
}

@Suite("Who may ask")
struct AccessTests {
    private let local = Access(HTTPAddress(host: "127.0.0.1", port: 9464), token: nil)
    private let guarded = Access(HTTPAddress(host: "0.0.0.0", port: 9464), token: "s3cret-s3cret-s3cret")

    private func status(
        _ access: Access, _ path: String = "/metrics", host: String? = nil, _ authorization: String? = nil
    )
        -> Int?
    {
        access.refusal(path: path, host: host, authorization: authorization)?.status
    }

    @Test(
        "On loopback a name of elsewhere is refused, whoever made it lead here",
        arguments: [
            "evil.example", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil.example:9464", "[::2]:9464",
            "", "0.0.0.0:9464",
        ])
    func rebinding(host: String) {
        #expect(status(local, host: host) == 403)
        #expect(status(local, "/livez", host: host) == 403)
    }

    @Test(
        "The machine's own names are taken, with the port of any tunnel",
        arguments: ["localhost", "LocalHost:9464", "127.0.0.1:8080", "[::1]:9464", "[::1]"])
    func own(host: String) {
        #expect(status(local, host: host) == nil)
    }

    @Test("A request without a host is refused")
    func none() { #expect(status(local) == 403) }

    @Test("Where there is a token, everything but /livez wants it")
    func token() {
        #expect(status(guarded, host: "any.example") == 401)
        #expect(status(guarded, "/livez", host: "any.example") == nil)
        #expect(status(guarded, host: "any.example", "Bearer s3cret-s3cret-s3cret") == nil)
        #expect(status(guarded, host: "any.example", "bearer  s3cret-s3cret-s3cret") == nil)
        for wrong in [
            "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret-s3cret-s3cret1", "Basic s3cret-s3cret-s3cret",
            "s3cret-s3cret-s3cret", "Bearer S3cret-s3cret-s3cret",
        ] {
            #expect(status(guarded, host: "any.example", wrong) == 401, "\(wrong)")
        }
        for path in ["/", "/readyz", "/api/v1/events", "/livez/"] {
            #expect(status(guarded, path, host: "any.example") == 401, "\(path)")
        }
    }

    @Test("A refusal never says the token")
    func unsaid() {
        let refusal = guarded.refusal(path: "/", host: nil, authorization: "Bearer s3cret-s3cret-s3cretX")
        #expect(refusal?.text.contains("s3cret") == false)
    }
}

@Suite("An address to listen at")
struct HTTPAddressTests {
    @Test(
        "HOST:PORT, and an IPv6 address in brackets",
        arguments: [
            ("127.0.0.1:9464", "127.0.0.1", 9464, true), ("127.1.2.3:1", "127.1.2.3", 1, true),
            ("localhost:0", "localhost", 0, true), ("[::1]:9464", "::1", 9464, true),
            ("0.0.0.0:80", "0.0.0.0", 80, false), ("[::]:80", "::", 80, false), ("10.0.0.1:80", "10.0.0.1", 80, false),
            ("127.evil.example:80", "127.evil.example", 80, false),
            ("shake.internal:9464", "shake.internal", 9464, false),
        ])
    func parsed(text: String, host: String, port: Int, isLoopback: Bool) throws {
        let address = try #require(HTTPAddress(text))
        #expect(address == HTTPAddress(host: host, port: port))
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(
        "Anything else is none",
        arguments: [
            "9464", ":9464", "localhost", "localhost:", "::1:80", "[a]:80", "a b:80", "a:65536", "a:-1", "a:+1",
            "http://a:80",
        ])
    func wrong(text: String) { #expect(HTTPAddress(text) == nil) }
}
