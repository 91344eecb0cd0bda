package import Curl
internal import StreamModel
internal import StreamSim

/// The network between the client and the simulated service: it delays, breaks and cuts.
package struct SimulatedTransport: HTTPTransport {
    private let life: Life
    private let world: World

    package init(_ life: Life, _ world: World) {
        self.life = life
        self.world = world
    }

    package func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        guard await life.step(.request) else { return try await never() }
        let call = Request(request)
        if call.asksForStart { life.asksForStart() }
        try await pass(world.latency())
        guard life.isAlive else { return try await never() }
        let reply = world.answer(call)
        switch reply.delivery {
        case .whole: break
        case .delayed(let microseconds): try await pass(.microseconds(microseconds))
        case .resetBeforeEffect, .resetAfterEffect: throw .broken(reason: "simulated: connection reset")
        case .truncated: throw .broken(reason: "simulated: transfer closed with bytes remaining")
        }
        if call.action == "Scan" { try await pass(world.scanPace()) }
        guard await life.step(.reply) else { return try await never() }
        try await pass(world.latency())
        var body = reply.body
        body.reserveCapacity(body.count + HTTPEngine.spareBytes)
        if reply.status == 200, body.count >= HTTPRequest.beginning {
            request.onBeginning?(body.span.extracting(first: HTTPRequest.beginning), body.count)
        }
        return HTTPResponse(
            status: reply.status, headers: reply.hasWrongChecksum ? [HTTPHeader("x-amz-crc32", "1")] : [], body: body)
    }

    package func giveBack(_ body: [UInt8]) {}
    package func shutdown() async {}

    private func pass(_ duration: Duration) async throws(CurlError) {
        do { try await world.conductor.sleep(until: world.conductor.now + duration) } catch { throw .cancelled }
    }

    /// A process that is dead hears nothing more.
    private func never() async throws(CurlError) -> HTTPResponse {
        try await pass(.seconds(1_000_000_000))
        throw .cancelled
    }
}

extension Request {
    fileprivate var asksForStart: Bool {
        action == "GetShardIterator" && String(decoding: body, as: UTF8.self).contains(#""TRIM_HORIZON""#)
    }

    fileprivate init(_ request: HTTPRequest) {
        let target = request.headers.first { $0.name == "x-amz-target" }?.value ?? ""
        self.init(target: target, body: request.body)
    }
}
