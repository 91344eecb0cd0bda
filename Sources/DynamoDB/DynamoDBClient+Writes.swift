package import StreamModel

/// What changes items.
extension DynamoDBClient {
    /// As BatchWriteItem takes them in one call.
    package static let writesAtOnce = 25
    package static let bytesAtOnce = 16 << 20
    /// As TransactWriteItems does.
    package static let writesOfATransaction = 100
    package static let bytesOfATransaction = 4 << 20

    /// What a call has left undone: the items or keys of these writes, within its reply.
    package struct Unprocessed: Sendable {
        package let reply: [UInt8]
        package let places: [(table: TableName, place: ByteRange)]
    }

    /// Puts and deletes each item for itself.
    ///
    /// - Parameters:
    ///   - writes: at most `writesAtOnce` and `bytesAtOnce`, no two of one item.
    ///   - onUnknown: told of each try that may have an effect later than the answer to a later one.
    /// - Throws: as every call; nothing was done then, save by tries that `onUnknown` was told of.
    ///
    /// Source: API Reference, `BatchWriteItem`.
    package func write(
        _ writes: [ItemWrite], onUnknown: @escaping UnknownObserver
    ) async throws(DynamoDBError) -> Unprocessed {
        try await call(.batchWriteItem, of: writes.object, writes.batch, onUnknown: onUnknown) {
            reply throws(UnreadableReply) in
            guard let places = Self.unprocessed(reply) else {
                throw UnreadableReply(why: "its UnprocessedItems are none")
            }
            return Unprocessed(reply: reply, places: places)
        }
    }

    /// `nil` for what is no such reply: also for one that doesn't say, which would mean that all was done.
    static func unprocessed(_ reply: [UInt8]) -> [(table: TableName, place: ByteRange)]? {
        guard let tables = JSONPlaces.value(of: "UnprocessedItems", in: 0..<reply.count, reply),
            let members = JSONPlaces.members(of: tables, in: reply)
        else { return nil }
        var places: [(table: TableName, place: ByteRange)] = []
        for member in members {
            guard let requests = JSONPlaces.elements(of: member.value, in: reply) else { return nil }
            for request in requests {
                let item = JSONPlaces.value(of: "PutRequest", in: request, reply)
                    .flatMap { JSONPlaces.value(of: "Item", in: $0, reply) }
                let key = JSONPlaces.value(of: "DeleteRequest", in: request, reply)
                    .flatMap { JSONPlaces.value(of: "Key", in: $0, reply) }
                guard let object = item ?? key, let offset = UInt32(exactly: object.lowerBound),
                    let count = UInt32(exactly: object.count)
                else { return nil }
                places.append(
                    (TableName(String(decoding: member.name, as: UTF8.self)), ByteRange(offset: offset, count: count)))
            }
        }
        return places
    }

    /// Puts and deletes all items or none. Asked again with the same token within ten minutes, what was done is not done again.
    ///
    /// - Parameters:
    ///   - writes: at most `writesOfATransaction` and `bytesOfATransaction`, no two of one item.
    ///   - token: 1 to 36 characters, of these writes alone.
    ///   - onUnknown: as of `write`.
    /// - Throws: as every call; an error that has `cancellationReasons` where another write or a limit was in the way.
    ///
    /// Source: API Reference, `TransactWriteItems`.
    package func transact(
        _ writes: [ItemWrite], token: String, onUnknown: @escaping UnknownObserver
    ) async throws(DynamoDBError) {
        try await call(
            .transactWriteItems, of: writes.object, writes.transaction(token: token), onUnknown: onUnknown
        ) { _ in }
    }
}

extension DynamoDBError {
    /// The token is one of other writes.
    package var isOfAnotherTransaction: Bool { code == "IdempotentParameterMismatchException" }

    /// Why a transaction was cancelled, for each of its writes in order: `None`, `TransactionConflict`, `ValidationError`, …; `nil`
    /// of any other error. The message holds them in brackets (API Reference, TransactionCanceledException).
    package var cancellationReasons: [String]? {
        guard case .service("TransactionCanceledException", let message, _, _, _, _) = self,
            let start = message.lastIndex(of: "["), let end = message[start...].firstIndex(of: "]")
        else { return nil }
        return message[message.index(after: start)..<end].split(separator: ",").map { $0.trimmed }
    }
}
