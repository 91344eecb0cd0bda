internal import Curl
internal import StreamModel
internal import Synchronization

/// An instance's metadata service (IMDS). It knows how it is asked, `MetadataMachine` what.
final class InstanceMetadata: Sendable {
    /// How long a token is good: the most that there is. One is asked for anew a while before.
    private static let tokenSeconds = 21_600
    private static let tokenAge: Duration = .seconds(tokenSeconds - 300)

    let settings: MetadataSettings
    private let transport: any HTTPTransport
    private let surroundings: Surroundings
    private let kept = Mutex<(token: String, at: Duration)?>(nil)

    init(_ settings: MetadataSettings, transport: any HTTPTransport, surroundings: Surroundings) {
        self.settings = settings
        self.transport = transport
        self.surroundings = surroundings
    }

    enum Answer: Sendable {
        case text(String)
        case trouble(MetadataMachine.Trouble)
    }

    /// - Parameter path: below `/latest/`.
    /// - Throws: `.cancelled`.
    func text(_ path: String) async throws(DynamoDBError) -> Answer {
        let uptime = surroundings.uptime()
        let token = kept.withLock { $0 }.flatMap { uptime - $0.at < Self.tokenAge ? $0.token : nil }
        var machine = MetadataMachine(attempts: settings.attempts, allowsV1: settings.allowsV1, token: token)
        var action = machine.first
        while true {
            switch action {
            case .askToken:
                let request = try request(
                    .put, "api/token", [HTTPHeader("x-aws-ec2-metadata-token-ttl-seconds", "\(Self.tokenSeconds)")])
                action = machine.handle(try await event(request))
                if case .askText(let token?) = action { kept.withLock { $0 = (token, uptime) } }
            case .askText(let token):
                let headers = token.map { [HTTPHeader("x-aws-ec2-metadata-token", $0)] } ?? []
                action = machine.handle(try await event(try request(.get, path, headers)))
            case .done(let text): return .text(text)
            case .giveUp(let trouble): return .trouble(trouble)
            }
        }
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, _ headers: [HTTPHeader]
    ) throws(DynamoDBError) -> HTTPRequest {
        let text = "\(settings.base)/latest/\(path)"
        do throws(CurlError) {
            return HTTPRequest(
                method, try HTTPURL(text), headers: headers, totalTimeout: settings.timeout, isDirect: true)
        } catch { throw .configuration("the instance's metadata: \(error)") }
    }

    private func event(_ request: HTTPRequest) async throws(DynamoDBError) -> MetadataMachine.Event {
        switch await transport.result(of: request) {
        case .success(let response):
            return .answered(
                status: response.status,
                text: response.status == 200 ? String(decoding: response.body, as: UTF8.self).trimmed : "")
        case .failure(.cancelled), .failure(.closed): throw .cancelled
        case .failure(.timedOut(let reason)): return .timedOut(reason: reason)
        case .failure(let error): return .failed(reason: "\(error)")
        }
    }
}
