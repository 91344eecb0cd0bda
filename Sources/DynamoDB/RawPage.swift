internal import Simdjson
package import StreamModel

/// A GetRecords reply that hasn't been parsed yet.
package struct RawPage: Sendable {
    /// The reply as it arrived.
    package let body: [UInt8]
    /// The next iterator, found without parsing; `nil` when unsure, which says nothing.
    package let hintedNext: ShardIterator?
    /// What was read, for messages.
    private let object: String

    package init(body: [UInt8], hintedNext: ShardIterator?, object: String = "a shard") {
        self.body = body
        self.hintedNext = hintedNext
        self.object = object
    }

    /// The page, which alone says whether the shard has ended.
    ///
    /// - Throws: `.badReply` for what is no such reply; nothing of it may be used.
    package func parsed() throws(DynamoDBError) -> Page {
        do throws(SimdjsonError) {
            let reply = try Replies.records(in: body)
            return Page(body: body, changes: reply.changes, next: reply.next)
        } catch {
            throw .badReply(operation: Operation.getRecords.rawValue, object: object, why: "\(error)")
        }
    }
}
