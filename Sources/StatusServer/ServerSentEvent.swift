/// One message of a stream that a browser's EventSource reads. Source: WHATWG HTML, "Server-sent events".
struct ServerSentEvent: Hashable, Sendable {
    let name: String
    /// What the browser sends back as Last-Event-ID when it comes again; `nil`: as before.
    var id: UInt64?
    /// Without a line feed.
    let data: String

    static func journal(_ line: JournalLine) -> ServerSentEvent {
        ServerSentEvent(name: "journal", id: line.position, data: line.json)
    }

    /// All tables in one message, as a list.
    static func status(_ lines: [String]) -> ServerSentEvent {
        ServerSentEvent(name: "status", data: "[" + lines.joined(separator: ",") + "]")
    }

    var text: String { (id.map { "id: \($0)\n" } ?? "") + "event: \(name)\ndata: \(data)\n\n" }
}
