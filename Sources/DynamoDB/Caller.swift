internal import Curl
internal import Foundation
internal import Simdjson
internal import StreamModel
internal import Synchronization

/// Makes one call: signs, sends, checks, and tries again where that may help. It knows how, `CallMachine` whether.
final class Caller: Sendable {
    let source: ResolvedSource
    let chain: CredentialsChain
    let transport: any HTTPTransport
    private let policy: RetryPolicy
    private let signer: Signer
    let surroundings: Surroundings
    private let onRetry: DynamoDBClient.RetryObserver
    private let onAnswer: DynamoDBClient.AnswerObserver?
    private let lead = Mutex<Duration>(.zero)
    /// The same by the last reply of all, whatever it answered; `nil` before there was one that says the time.
    private let shownLead = Mutex<Duration?>(nil)
    private let lines: CallLines
    private let madeAgain = Atomic<Int>(0)

    /// How many calls of GetRecords were second tries.
    var readsMadeAgain: Int { madeAgain.load(ordering: .relaxed) }

    var clockLead: Duration { lead.withLock { $0 } }
    var shownClockLead: Duration? { shownLead.withLock { $0 } }

    init(
        source: ResolvedSource, chain: CredentialsChain, transport: any HTTPTransport, policy: RetryPolicy,
        limits: CallLimits?, surroundings: Surroundings, onRetry: @escaping DynamoDBClient.RetryObserver,
        onAnswer: DynamoDBClient.AnswerObserver?
    ) {
        lines = CallLines(limits, surroundings)
        self.onRetry = onRetry
        self.onAnswer = onAnswer
        self.source = source
        self.chain = chain
        self.transport = transport
        self.surroundings = surroundings
        self.policy = policy
        signer = Signer(region: source.signingRegion)
    }

    func endpoint(of service: Service) -> HTTPURL {
        switch service {
        case .tables: source.tables
        case .streams: source.streams
        case .roles: source.roles
        }
    }

    func currentCredentials() async throws(DynamoDBError) -> Credentials { try await chain.credentials() }

    func pause(afterThrottles attempts: Int) async throws(DynamoDBError) -> Bool {
        guard let wait = policy.delay(after: attempts, isThrottle: true, random: surroundings.random()) else {
            return false
        }
        do { try await surroundings.sleep(for: wait) } catch { throw .cancelled }
        return true
    }

    /// - Parameters:
    ///   - object: what is asked about, for messages.
    ///   - onBeginning: as the request's; nothing of what it is told has been checked.
    ///   - onUnknown: told of each try that may have been done, or may be yet, though no answer says so.
    ///   - onFailure: told of each try that has failed.
    ///   - read: what the answer says, from the body of a 200 whose checksum was right. What it can't read is asked for again.
    func call<Answer: Sendable>(
        _ operation: Operation, of object: String, _ body: RequestBody,
        onBeginning: HTTPRequest.BeginningObserver? = nil, onUnknown: DynamoDBClient.UnknownObserver? = nil,
        onFailure: DynamoDBClient.FailureObserver? = nil,
        _ read: @Sendable ([UInt8]) throws(UnreadableReply) -> Answer
    ) async throws(DynamoDBError) -> Answer {
        var machine = CallMachine(policy)
        var credentials = try await chain.credentials()
        var isAgain = false
        while true {
            try await lines.pass(operation, of: object)
            if isAgain, operation == .getRecords { madeAgain.add(1, ordering: .relaxed) }
            isAgain = true
            let (error, failure): (DynamoDBError, CallMachine.Failure)
            let began = onAnswer.map { _ in surroundings.uptime() }
            let outcome = await attempt(operation, of: object, body, with: credentials, onBeginning, read)
            if let onAnswer, let began { onAnswer(operation.rawValue, outcome.code, surroundings.uptime() - began) }
            switch outcome {
            case .answer(let answer): return answer
            case .failed(let reason, let kind, let isUnknown):
                (error, failure) = (reason, kind)
                if isUnknown { onUnknown?() }
            }
            guard !Task.isCancelled else { throw .cancelled }
            onFailure?()
            let action = machine.handle(failure, random: surroundings.random())
            surroundings.observing?("call machine: \(failure.name) → \(action.name)")
            switch action {
            case .giveUp: throw error
            case .wait(let duration):
                onRetry(error, duration)
                do { try await surroundings.sleep(for: duration) } catch { throw .cancelled }
            case .refreshCredentials:
                let refused = credentials
                credentials = try await chain.credentials(insteadOf: refused)
                guard credentials != refused else { throw error }
            case .setClock(let time): chain.clock.set(to: time)
            }
        }
    }

    private enum Outcome<Answer: Sendable> {
        case answer(Answer)
        case failed(DynamoDBError, CallMachine.Failure, isUnknown: Bool)

        /// `OK`, or the error's.
        var code: String {
            switch self {
            case .answer: "OK"
            case .failed(let error, _, _): error.code
            }
        }
    }

    private func attempt<Answer: Sendable>(
        _ operation: Operation, of object: String, _ body: RequestBody, with credentials: Credentials,
        _ onBeginning: HTTPRequest.BeginningObserver?,
        _ read: @Sendable ([UInt8]) throws(UnreadableReply) -> Answer
    ) async -> Outcome<Answer> {
        let url = endpoint(of: operation.service)
        let request = request(operation, to: url, body, with: credentials, onBeginning)
        let response: HTTPResponse
        do throws(CurlError) {
            response = try await transport.perform(request)
        } catch {
            let (reason, failure) = Self.failure(of: error, operation, url, object)
            return .failed(reason, failure, isUnknown: error.mayHaveArrived)
        }
        if let time = Self.time(of: response) { shownLead.withLock { $0 = time - surroundings.now() } }
        func bad(_ why: String) -> Outcome<Answer> {
            .failed(.badReply(operation: operation.rawValue, object: object, why: why), .broken, isUnknown: true)
        }
        // A refusal too: half of one could be taken for another.
        if let text = response.headers["x-amz-crc32"], let expected = UInt32(text.trimmed) {
            guard CRC32.checksum(response.body) == expected else { return bad("its checksum is wrong") }
        }
        guard response.status == 200 else {
            let (reason, failure) = Self.refusal(response, operation, object, credentials)
            let isUnknown = ErrorClass.leavesOutcomeUnknown(code: reason.code, status: response.status)
            return .failed(reason, failure, isUnknown: isUnknown)
        }
        guard response.body.first == UInt8(ascii: "{") || response.body.first.map(Self.isSpace) == true else {
            return bad("it isn't JSON: \"\(ErrorReply.excerpt(of: response.body, hiding: credentials.secrets))\"")
        }
        if operation == .getShardIterator, let time = Self.time(of: response) {
            lead.withLock { $0 = time - surroundings.now() }
        }
        do throws(UnreadableReply) {
            return .answer(try read(response.body))
        } catch {
            return bad(error.why)
        }
    }

    private func request(
        _ operation: Operation, to url: HTTPURL, _ body: RequestBody, with credentials: Credentials,
        _ onBeginning: HTTPRequest.BeginningObserver?
    ) -> HTTPRequest {
        let signed = [
            (name: "content-type", value: "application/x-amz-json-1.0"),
            (name: "host", value: url.authority),
            (name: "x-amz-target", value: operation.target),
        ]
        let signature = signer.sign(
            headers: signed, body: body.bytes, with: credentials, at: chain.clock.now())
        var headers = signed.map { HTTPHeader($0.name, $0.value) }
        headers.append(HTTPHeader("x-amz-date", signature.date))
        if let token = signature.token { headers.append(HTTPHeader("x-amz-security-token", token)) }
        headers.append(HTTPHeader("authorization", signature.authorization))
        // The checksum is over the bytes on the wire, and simdjson wants them plain.
        headers.append(HTTPHeader("accept-encoding", "identity"))
        return HTTPRequest(
            .post, url, headers: headers, body: body.bytes, isSentOnce: operation.writesItems,
            onBeginning: onBeginning)
    }

    private static func refusal(
        _ response: HTTPResponse, _ operation: Operation, _ object: String, _ credentials: Credentials
    ) -> (DynamoDBError, CallMachine.Failure) {
        let reply = ErrorReply(status: response.status, body: response.body, hiding: credentials.secrets)
        let error = DynamoDBError.service(
            code: reply.code, message: reply.message, status: reply.status,
            operation: operation.rawValue,
            object: object, requestID: response.headers["x-amzn-requestid"])
        let errorClass = ErrorClass(code: reply.code, message: reply.message, status: reply.status)
        return (error, .refused(errorClass, serviceTime: time(of: response)))
    }

    private static func time(of response: HTTPResponse) -> Timestamp? {
        response.headers["date"].flatMap { Timestamp(httpDate: $0) }
    }

    private static func failure(
        of error: CurlError, _ operation: Operation, _ url: HTTPURL, _ object: String
    ) -> (DynamoDBError, CallMachine.Failure) {
        switch error {
        case .cancelled, .closed: (.cancelled, .final)
        case .tooLarge:
            (.badReply(operation: operation.rawValue, object: object, why: "\(error)"), .final)
        case .invalidRequest:
            (.configuration("\(operation.rawValue) of \(object) at \(url): \(error)"), .final)
        case .unreachable, .timedOut, .broken, .untrusted, .unable:
            (
                .unreachable(endpoint: url.text, operation: operation.rawValue, reason: "\(error)"),
                error.isTransient ? .broken : .final
            )
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}
