internal import StreamModel
internal import Synchronization

/// Where calls wait that are bounded: for the turn of what they ask about, then for that of their operation.
final class CallLines: Sendable {
    private let limits: CallLimits?
    private let surroundings: Surroundings
    private let ofAll: [Operation: CallLine]
    /// As many as there are streams.
    private let ofOne = Mutex<[String: CallLine]>([:])

    /// - Parameter limits: `nil` where calls are few.
    init(_ limits: CallLimits?, _ surroundings: Surroundings) {
        self.limits = limits
        self.surroundings = surroundings
        ofAll = Dictionary(
            uniqueKeysWithValues: Operation.allCases.compactMap { operation in
                limits?.rate(of: operation).map { (operation, CallLine(perSecond: $0, surroundings)) }
            })
    }

    /// - Parameter object: what is asked about.
    func pass(_ operation: Operation, of object: String) async throws(DynamoDBError) {
        if let rate = limits?.rateOfOne(operation) {
            let line = ofOne.withLock { lines in
                let line = lines[object] ?? CallLine(perSecond: rate, surroundings)
                lines[object] = line
                return line
            }
            try await line.pass()
        }
        try await ofAll[operation]?.pass()
    }
}
