/// Why the control interface refuses a request.
struct ControlError: Error {
    var status = 400
    let message: String

    init(_ message: String, status: Int = 400) {
        self.message = message
        self.status = status
    }

    init(_ error: ServiceError) { self.init(error.message) }

    var reply: Reply {
        var reply = Reply(status: status, body: (["error": .string(Text(message))] as JSON).bytes)
        reply.contentType = "application/json"
        return reply
    }
}
