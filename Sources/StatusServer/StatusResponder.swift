internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Answers requests: what is asked for `Route` decides, who may ask `Access`, and what the answer is `StatusAnswers`.
struct StatusResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let answers: any StatusAnswers
    let access: Access
    let limits: ServerLimits
    let streams: Seats
    let seats: Seats
    let probes: Seats
    let logger: Logger

    init(_ answers: any StatusAnswers, _ access: Access, _ limits: ServerLimits, _ logger: Logger) {
        self.answers = answers
        self.access = access
        self.limits = limits
        self.logger = logger
        streams = Seats(limits.eventStreams)
        seats = Seats(limits.answers)
        probes = Seats(limits.connections)
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        var response: Response
        do throws(RequestRefusal) {
            response = try await answer(request)
        } catch {
            response = plain(error)
        }
        harden(&response)
        // Who has shown nothing holds no connection.
        if !access.isShown(request.headers[.authorization]) { response.headers[.connection] = "close" }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async throws(RequestRefusal) -> Response {
        let path = request.uri.path
        if let refusal = access.refusal(
            path: path, host: request.head.authority, authorization: request.headers[.authorization])
        {
            throw refusal
        }
        guard request.method == .get || request.method == .head else {
            throw RequestRefusal(405, "nothing can be changed here: only GET and HEAD are answered")
        }
        let route = try Route(
            path: path, query: request.uri.query,
            lastEventID: HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] })
        switch route {
        case .page(let file): return response(file.bytes, file.contentType)
        case .livez: return response(await answers.liveness())
        case .readyz:
            // Who asks and goes leaves the asking behind, which a slow disk may hold: connections alone would not bound it.
            guard let seat = probes.take() else { throw RequestRefusal(503, "\(limits.connections) others wait for this") }
            defer { withExtendedLifetime(seat) {} }
            return response(await answers.readiness())
        case .events(let position):
            guard request.method == .get else { throw RequestRefusal(405, "a stream of events can only be had by GET") }
            return try await events(after: position)
        case .metrics:
            return try await seated { () async throws(RequestRefusal) in
                (Array(try await answers.metrics().utf8), "text/plain; version=0.0.4; charset=utf-8")
            }
        case .status: return try await lines { () async throws(RequestRefusal) in try await answers.status() }
        case .shards(let table):
            return try await lines { () async throws(RequestRefusal) in try await answers.shards(of: table) }
        case .history(let question):
            return try await lines { () async throws(RequestRefusal) in try await answers.history(question) }
        case .state(let shard, let at):
            return try await lines { () async throws(RequestRefusal) in try await answers.state(of: shard, at: at) }
        }
    }

    // MARK: - Answers that are short

    private func response(_ bytes: [UInt8], _ contentType: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: contentType], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func response(_ verdict: Verdict) -> Response {
        response(
            Array(verdict.lines.map { $0 + "\n" }.joined().utf8), Self.ndjson,
            verdict.isGood ? .ok : .serviceUnavailable)
    }

    private func plain(_ refusal: RequestRefusal) -> Response {
        var response = response(
            Array((refusal.text + "\n").utf8), "text/plain; charset=utf-8",
            HTTPResponse.Status(integerLiteral: refusal.status))
        switch refusal.status {
        case 401: response.headers[.wwwAuthenticate] = "Bearer"
        case 405: response.headers[.allow] = "GET, HEAD"
        case 503: response.headers[.retryAfter] = "5"
        default: break
        }
        return response
    }

    private static let ndjson = "application/x-ndjson"

    private func harden(_ response: inout Response) {
        for (name, value) in [
            ("Content-Security-Policy", Page.policy), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
        ] {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
    }

    // MARK: - Answers that may be long

    private func lines(
        _ ask: () async throws(RequestRefusal) -> [String]
    ) async throws(RequestRefusal) -> Response {
        try await seated { () async throws(RequestRefusal) in
            (Array(try await ask().map { $0 + "\n" }.joined().utf8), Self.ndjson)
        }
    }

    /// An answer that is made, and held, only while there are not too many such.
    private func seated(
        _ make: () async throws(RequestRefusal) -> (bytes: [UInt8], type: String)
    ) async throws(RequestRefusal) -> Response {
        guard let seat = seats.take() else {
            throw RequestRefusal(503, "\(limits.answers) answers are being made or sent: ask again in a while")
        }
        let (bytes, type) = try await make()
        let body = ResponseBody(contentLength: bytes.count) { writer in
            defer { withExtendedLifetime(seat) {} }
            try await writer.write(ByteBuffer(bytes: bytes))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: type], body: body)
    }

    // MARK: - Events

    private func events(after position: UInt64?) async throws(RequestRefusal) -> Response {
        guard let seat = streams.take() else {
            throw RequestRefusal(
                503, "\(limits.eventStreams) clients follow the events already: end one, or ask again later")
        }
        // A position that is still to come is one of another journal: its events would be missed until then.
        let last = try await answers.lastPosition()
        let feed = EventFeed(
            answers: answers, limits: limits, position: min(position ?? last, last), logger: logger)
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(seat) {} }
            try await feed.write(to: &writer)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }
}
