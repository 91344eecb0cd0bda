/// Decides how a text is got from an instance's metadata service: a value, without network.
///
///     token ──200──▶ text with it ──200──▶ done
///       │                 └──401: it has expired──▶ token (once)
///       └──no answer, 403, 404, 405──▶ text without (IMDSv1), where that is allowed ──200──▶ done
///
/// Source: EC2 User Guide, "Use the Instance Metadata Service"; botocore, IMDSFetcher.
struct MetadataMachine: Equatable, Sendable {
    enum Event: Equatable, Sendable {
        case answered(status: Int, text: String)
        case timedOut(reason: String)
        case failed(reason: String)
    }

    enum Action: Equatable, Sendable {
        case askToken
        case askText(token: String?)
        case done(String)
        case giveUp(Trouble)
    }

    enum Trouble: Equatable, Sendable {
        /// This is no instance, or its metadata service is switched off or out of reach.
        case noAnswer(reason: String)
        /// The service takes tokens only, and gave none.
        case noToken(why: String)
        case refused(status: Int)
        /// There is no such text: the instance has no role.
        case notFound

        var text: String {
            switch self {
            case .noAnswer(let reason): "no answer: \(reason)"
            case .noToken(let why):
                """
                it answers with a token only (IMDSv2), and gave none: \(why). In a container its answer takes one hop more: \
                aws ec2 modify-instance-metadata-options --instance-id … --http-put-response-hop-limit 2
                """
            case .refused(let status): "it refuses with HTTP \(status)"
            case .notFound: "it knows of none: attach a role to the instance"
            }
        }

        var mayPass: Bool {
            switch self {
            case .noAnswer, .refused: true
            case .noToken, .notFound: false
            }
        }
    }

    private let attempts: Int
    private let allowsV1: Bool
    private var made = 0
    private var token: String?
    /// Why there is no token, once one was asked for in vain.
    private var tokenless: String?
    private var hasRenewed = false
    private var asksToken: Bool

    /// - Parameter token: that an earlier text was got with.
    init(attempts: Int, allowsV1: Bool, token: String? = nil) {
        self.attempts = attempts
        self.allowsV1 = allowsV1
        self.token = token
        asksToken = token == nil
    }

    var first: Action { asksToken ? .askToken : .askText(token: token) }

    mutating func handle(_ event: Event) -> Action {
        made += 1
        return asksToken ? handleToken(event) : handleText(event)
    }

    private mutating func handleToken(_ event: Event) -> Action {
        switch event {
        case .answered(200, let text) where !text.isEmpty:
            token = text
            return askText()
        case .answered(let status, _) where [403, 404, 405].contains(status):
            return withoutToken("HTTP \(status)")
        // With a hop limit of 1 the answer to a container is lost on its way.
        case .timedOut(let reason): return withoutToken(reason)
        case .answered(400, _): return .giveUp(.refused(status: 400))
        case .answered(let status, _): return again ?? .giveUp(.refused(status: status))
        case .failed(let reason): return again ?? .giveUp(.noAnswer(reason: reason))
        }
    }

    private mutating func handleText(_ event: Event) -> Action {
        switch event {
        case .answered(200, let text) where !text.isEmpty: return .done(text)
        case .answered(404, _): return .giveUp(.notFound)
        case .answered(401, _):
            if let tokenless { return .giveUp(.noToken(why: tokenless)) }
            guard !hasRenewed else { return .giveUp(.refused(status: 401)) }
            hasRenewed = true
            (asksToken, token, made) = (true, nil, 0)
            return .askToken
        case .answered(let status, _): return again ?? .giveUp(.refused(status: status))
        case .timedOut(let reason), .failed(let reason): return again ?? .giveUp(.noAnswer(reason: reason))
        }
    }

    private mutating func withoutToken(_ why: String) -> Action {
        tokenless = why
        guard allowsV1 else {
            return .giveUp(.noToken(why: "\(why); without one it may not be asked (AWS_EC2_METADATA_V1_DISABLED)"))
        }
        return askText()
    }

    private mutating func askText() -> Action {
        (asksToken, made) = (false, 0)
        return .askText(token: token)
    }

    /// The same once more; `nil` where that was done often enough.
    private var again: Action? {
        made < attempts ? first : nil
    }
}
