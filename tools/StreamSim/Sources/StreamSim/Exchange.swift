/// One call, as it comes over HTTP.
package struct Request: Sendable {
    /// The header X-Amz-Target.
    package let target: String
    package let body: [UInt8]

    package init(target: String, body: [UInt8]) {
        self.target = target
        self.body = body
    }

    var operation: Substring { target.split(separator: ".").last ?? "" }
}

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

package enum Delivery: Hashable, Sendable {
    case whole
    /// In microseconds.
    case delayed(Int64)
    /// The connection is reset, and nothing has happened.
    case resetBeforeEffect
    /// The connection is reset, and it has happened.
    case resetAfterEffect
    /// The connection breaks after so many bytes.
    case truncated(Int)
}
