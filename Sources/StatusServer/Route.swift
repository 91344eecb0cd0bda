/// What is asked for, as a path and its query say it. A value: whoever answers knows no HTTP.
package enum Route: Hashable, Sendable {
    case page(Page.File)
    case livez
    case readyz
    case metrics
    case status
    /// Of one table, or of all.
    case shards(table: String?)
    case history(HistoryQuestion)
    /// As it was at a position or a time, in the words of `shakectl state --at`.
    case state(shard: String, at: String?)
    /// New events from after this position on; `nil`: from now on.
    case events(after: UInt64?)

    /// `shakectl history`'s, in its words.
    package struct HistoryQuestion: Hashable, Sendable {
        package let shard: String
        package var limit: Int = Self.commonLimit
        package var since: String?
        package var until: String?
        package var kinds: [String] = []
        package var newestFirst = false

        package init(shard: String) { self.shard = shard }

        /// An answer is held in memory until it is sent.
        package static let commonLimit = 1000
        package static let highestLimit = 10_000
    }

    var path: String {
        switch self {
        case .page(let file): file.path
        case .livez: "/livez"
        case .readyz: "/readyz"
        case .metrics: "/metrics"
        case .status: "/api/v1/status"
        case .shards: "/api/v1/shards"
        case .history: "/api/v1/history"
        case .state: "/api/v1/state"
        case .events: "/api/v1/events"
        }
    }

    /// - Parameters:
    ///   - path: as it came, `%2F` and all.
    ///   - lastEventID: the header that a browser sends when it comes back.
    /// - Throws: 404 for a path that is none, 400 for a query that can't be meant.
    package init(path: String, query: String?, lastEventID: String? = nil) throws(RequestRefusal) {
        if let file = Page.File.allCases.first(where: { $0.path == path }) {
            self = .page(file)
            return
        }
        let query = try Query(query)
        switch path {
        case "/livez": self = .livez
        case "/readyz": self = .readyz
        case "/metrics": self = .metrics
        case "/api/v1/status": self = .status
        case "/api/v1/shards": self = .shards(table: try query.one("table"))
        case "/api/v1/events":
            // What the browser says it has seen wins over what the page asked for at first.
            let (seen, asked) = (try Self.position(lastEventID), try Self.position(try query.one("after")))
            self = .events(after: seen ?? asked)
        default:
            if let shard = try Self.subject(of: path, under: "/api/v1/history/") {
                self = .history(try Self.history(of: shard, query))
            } else if let shard = try Self.subject(of: path, under: "/api/v1/state/") {
                self = .state(shard: shard, at: try query.one("at"))
            } else {
                throw RequestRefusal(
                    404,
                    """
                    there is nothing at this path. There are /livez, /readyz, /metrics, /api/v1/status, /api/v1/shards, \
                    /api/v1/history/SHARD, /api/v1/state/SHARD, /api/v1/events, and a page at /
                    """)
            }
        }
        try query.checkNames(names)
    }

    /// What its query may hold: a word that is misspelt would else be passed over in silence.
    private var names: [String] {
        switch self {
        case .shards: ["table"]
        case .history: ["limit", "since", "until", "event", "reverse"]
        case .state: ["at"]
        case .events: ["after"]
        case .page, .livez, .readyz, .metrics, .status: []
        }
    }

    private static func history(of shard: String, _ query: Query) throws(RequestRefusal) -> HistoryQuestion {
        var question = HistoryQuestion(shard: shard)
        if let text = try query.one("limit") {
            guard let limit = Int(text), (1...HistoryQuestion.highestLimit).contains(limit) else {
                throw RequestRefusal(400, "limit expects a number of events from 1 to \(HistoryQuestion.highestLimit)")
            }
            question.limit = limit
        }
        question.since = try query.one("since")
        question.until = try query.one("until")
        question.kinds = query.all("event")
        switch try query.one("reverse") {
        case nil, "0", "false": break
        case "1", "true", "": question.newestFirst = true
        default: throw RequestRefusal(400, "reverse expects 1 or 0")
        }
        return question
    }

    private static func position(_ text: String?) throws(RequestRefusal) -> UInt64? {
        guard let text, !text.isEmpty else { return nil }
        guard let position = UInt64(text) else {
            throw RequestRefusal(400, "a position of the journal is a whole number, as the id of each event is")
        }
        return position
    }

    /// A shard, as an id, a part of one, or TABLE/PART.
    private static func subject(of path: String, under prefix: String) throws(RequestRefusal) -> String? {
        guard path.hasPrefix(prefix) else { return nil }
        let subject = try Query.decoded(path.dropFirst(prefix.count), isQuery: false)
        guard !subject.isEmpty else { throw RequestRefusal(404, "the path must end with a shard: \(prefix)SHARD") }
        return subject
    }
}
