internal import CMongoC

/// Writes of one collection that are sent together, and done in any order.
@safe package struct Bulk: ~Copyable {
    /// One write that the server refused; the others were tried.
    package struct Refusal: Hashable, Sendable {
        /// Of the write, in the order in which they were added.
        package let index: Int
        package let error: MongoError
    }

    private let pointer: OpaquePointer
    private let collection: OpaquePointer
    /// Nothing may outlive the client that it was made of.
    private let client: MongoClient
    private let session: MongoSession?
    package private(set) var count = 0
    private var replacements = 0

    /// - Parameter isDurable: whether each command waits for a majority's journals; in a transaction the commit does.
    package init(
        _ client: MongoClient, _ database: String, _ collection: String, session: MongoSession? = nil, isDurable: Bool,
        limit: Int64
    ) throws(MongoError) {
        guard let handle = unsafe mongoc_client_get_collection(client.pointer, database, collection) else {
            throw MongoError.outOfMemory
        }
        var options = DocumentWriter()
        options.name("ordered")
        options.bool(false)
        if isDurable {
            options.name("writeConcern")
            options.document(.durable(limit: limit))
        }
        let document = options.finish()
        let made: OpaquePointer?
        do throws(MongoError) {
            unsafe made = unsafe try client.withOptions(document, session) { options in
                unsafe mongoc_collection_create_bulk_operation_with_opts(handle, options)
            }
        } catch {
            unsafe mongoc_collection_destroy(handle)
            throw error
        }
        guard let pointer = unsafe made else {
            unsafe mongoc_collection_destroy(handle)
            throw MongoError.outOfMemory
        }
        unsafe self.pointer = pointer
        unsafe self.collection = handle
        self.client = client
        self.session = session
    }

    deinit {
        unsafe mongoc_bulk_operation_destroy(pointer)
        unsafe mongoc_collection_destroy(collection)
    }

    /// Puts `document` in the place of the one that matches; where none does, it is inserted.
    package mutating func replace(_ filter: Document, with document: Document) throws(MongoError) {
        let added = unsafe Self.upsert.withPointer { options in
            unsafe filter.withPointer { filter in
                unsafe document.withPointer { document in
                    var error = bson_error_t()
                    let added = unsafe mongoc_bulk_operation_replace_one_with_opts(
                        pointer, filter, document, options, &error)
                    return added ? nil : MongoError(error)
                }
            }
        }
        if let added { throw added }
        count += 1
        replacements += 1
    }

    /// Removes the one that matches, if one does.
    package mutating func delete(_ filter: Document) throws(MongoError) {
        let failure = unsafe filter.withPointer { filter -> MongoError? in
            var error = bson_error_t()
            return unsafe mongoc_bulk_operation_remove_one_with_opts(pointer, filter, nil, &error)
                ? nil : MongoError(error)
        }
        if let failure { throw failure }
        count += 1
    }

    /// Does all of them; libmongoc splits what is more than the server takes at once.
    ///
    /// - Returns: the writes that were refused, each by itself.
    /// - Throws: what stopped them: some may be done, and some be done still where the connection was lost.
    package consuming func execute() throws(MongoError) -> [Refusal] {
        guard count > 0 else { return [] }
        let answer = unsafe withReplyMemory { reply, error in
            unsafe mongoc_bulk_operation_execute(pointer, reply, &error)
        }
        if answer.result != 0 { return [] }
        guard !answer.error.isConnectionLost else { throw answer.error }
        let reply = try answer.document()
        let refusals = (reply["writeErrors"]?.array?.values ?? []).compactMap(\.document).map { one in
            Refusal(
                index: Int(one["index"]?.integer ?? 0),
                error: MongoError(
                    code: one["code"]?.integer.map { Int32(truncatingIfNeeded: $0) } ?? 0,
                    message: one["errmsg"]?.text ?? "refused"))
        }
        // What comes behind a refusal in a transaction fails because of it.
        guard !refusals.isEmpty else { throw answer.error }
        if let problem = reply["writeConcernErrors"]?.array?.values.first?.document {
            throw MongoError(
                code: problem["code"]?.integer.map { Int32(truncatingIfNeeded: $0) } ?? 64,
                message: problem["errmsg"]?.text ?? "the write concern was not met", labels: answer.error.labels)
        }
        // libmongoc says of a refusal and a lost connection the refusal only. A replacement that nobody has counted was not done.
        let counted = ["nMatched", "nUpserted"].reduce(0) { $0 + Int(reply[$1]?.integer ?? 0) }
        guard counted + refusals.count >= replacements || session?.isInTransaction == true else {
            throw MongoError(code: nil, message: "the answer tells of \(counted) of \(replacements) replacements only")
        }
        return refusals
    }

    /// What the documents are is decided by whoever made them, and judged by the server.
    private static let upsert = Document { writer in
        writer.name("upsert")
        writer.bool(true)
        writer.name("validate")
        writer.bool(false)
    }
}

extension Document {
    /// The write concern of what must not be lost.
    ///
    /// - Parameter limit: how long the others are waited for, in milliseconds.
    package static func durable(limit: Int64) -> Document {
        Document { writer in
            writer.name("w")
            writer.string("majority")
            writer.name("j")
            writer.bool(true)
            writer.name("wtimeout")
            writer.int64(limit)
        }
    }
}
