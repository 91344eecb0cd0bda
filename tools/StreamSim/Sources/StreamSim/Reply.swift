/// What comes back.
package struct Reply: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8]
    /// What the network makes of it.
    package var delivery = Delivery.whole

    init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    static func ok(_ json: String) -> Reply { Reply(status: 200, body: Array(json.utf8)) }

    static func error(_ code: String, status: Int = 400, _ message: String = "simulated") -> Reply {
        let json =
            #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","message":"\#(JSONText.escaped(message))"}"#
        return Reply(status: status, body: Array(json.utf8))
    }
}
