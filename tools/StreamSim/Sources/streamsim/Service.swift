internal import StreamSim
internal import Synchronization

/// The one simulated service, as all connections see it.
final class Service: Sendable {
    private let simulator: Mutex<Simulator>
    private let clock: ServerClock
    private let requests = Atomic<UInt64>(0)

    init(_ simulator: consuming Simulator, _ clock: ServerClock) {
        self.simulator = Mutex(simulator)
        self.clock = clock
    }

    /// A request as it came over HTTP.
    struct Call {
        let method: String
        let uri: String
        let target: String?
        let isSigned: Bool
        let body: [UInt8]
    }

    func answer(_ call: Call) -> Reply {
        if call.uri.hasPrefix("/control") {
            let request = ControlRequest(method: call.method, uri: call.uri, body: call.body)
            return simulator.withLock { $0.control(request, at: clock.now) }
        }
        guard call.method == "POST", let target = call.target else {
            return .refusal("UnknownOperationException", "POST / with the header X-Amz-Target, or /control/…")
        }
        guard call.isSigned else {
            return .refusal("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        }
        let request = Request(target: target, body: call.body)
        return simulator.withLock { $0.answer(request, at: clock.now) }
    }

    /// A new one for each reply, and the same ones for the same replies in the same order.
    func nextRequestID() -> String {
        let number = String(requests.add(1, ordering: .relaxed).newValue, radix: 36, uppercase: true)
        return String(repeating: "0", count: max(0, 52 - number.count)) + number
    }
}
