/// What comes back over HTTP.
package struct Reply: Sendable {
    package var status: Int
    package var contentType = "application/x-amz-json-1.0"
    package var body: [UInt8]
    /// What the network makes of it.
    package var delivery = Delivery.whole
    /// The checksum beside the body is another one's.
    package var hasWrongChecksum = false

    init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    static func ok(_ json: JSON) -> Reply { Reply(status: 200, body: json.bytes) }

    static func error(_ error: ServiceError) -> Reply {
        let type = "com.amazonaws.dynamodb.v20120810#\(error.code)"
        var members = [JSON.Member("__type", .string(Text(type)))]
        if !error.reasons.isEmpty {
            members.append(JSON.Member("CancellationReasons", .array(error.reasons.map(\.json))))
        }
        members.append(
            JSON.Member(error.spellsMessageLarge ? "Message" : "message", .string(Text(error.message))))
        if let item = error.item { members.append(JSON.Member("Item", item.json)) }
        return Reply(status: error.status, body: JSON.object(members).bytes)
    }

    static func html(status: Int, _ text: String) -> Reply {
        var reply = Reply(status: status, body: Array("<html><body>\(text)</body></html>".utf8))
        reply.contentType = "text/html"
        return reply
    }
}

extension Reply {
    /// What has more bytes than anybody reads.
    ///
    /// What the service says to it is not documented; 413 is what HTTP has.
    package static let tooLarge = Reply.error(
        ServiceError(code: "RequestEntityTooLargeException", message: "The request has more than 64 MB", status: 413))

    /// What is refused before the service has looked at it.
    package static func refusal(_ code: String, _ message: String) -> Reply {
        .error(ServiceError(code: code, message: message, status: 400))
    }
}
