internal import CMongoC

/// The connections to a deployment, which threads of libmongoc's own watch: they notice a new primary.
///
/// It reconnects by itself; what was being asked when a connection was lost is not asked again.
@safe package final class MongoPool {
    private let pointer: OpaquePointer

    /// Looks up the hosts where the URL says so; connects to none yet.
    package init(_ settings: MongoSettings) throws(MongoError) {
        var error = bson_error_t()
        let made = unsafe settings.withPointer { unsafe mongoc_client_pool_new_with_error($0, &error) }
        guard let pointer = unsafe made else { throw MongoError(error) }
        unsafe self.pointer = pointer
        _ = unsafe mongoc_client_pool_set_error_api(pointer, MONGOC_ERROR_API_VERSION_2)
    }

    deinit { unsafe mongoc_client_pool_destroy(pointer) }

    /// Waits for one where all are taken (`maxPoolSize`, 100).
    package func client() throws(MongoError) -> MongoClient {
        guard let client = unsafe mongoc_client_pool_pop(pointer) else { throw MongoError.outOfMemory }
        return unsafe MongoClient(client, of: self)
    }

    fileprivate func take(back client: OpaquePointer) { unsafe mongoc_client_pool_push(pointer, client) }
}

/// One client of a pool, which has one connection to each server. One thread at a time uses it, which its calls block:
/// for as long as the URL's timeouts say, and no longer.
@safe package final class MongoClient {
    let pointer: OpaquePointer
    private let pool: MongoPool

    fileprivate init(_ pointer: OpaquePointer, of pool: MongoPool) {
        unsafe self.pointer = pointer
        self.pool = pool
    }

    deinit { unsafe pool.take(back: pointer) }

    /// Runs a command at the primary, and gives its answer.
    ///
    /// - Throws: also where the command itself succeeded and single statements of it, or its write concern, did not; or where that can't be
    ///   told, because the answer can't be read.
    @discardableResult
    package func command(
        _ command: Document, in database: String, session: MongoSession? = nil
    ) throws(MongoError) -> Document {
        let answer = unsafe try withOptions(session) { options in
            unsafe command.withPointer { command in
                unsafe withReplyMemory { reply, error in
                    unsafe mongoc_client_command_with_opts(pointer, database, command, nil, options, reply, &error)
                }
            }
        }
        guard answer.result else { throw answer.error }
        let reply = try answer.document()
        if let problem = reply["writeErrors"]?.array?.values.first?.document ?? reply["writeConcernError"]?.document {
            throw MongoError(
                code: problem["code"]?.integer.map { Int32(truncatingIfNeeded: $0) } ?? 0,
                message: problem["errmsg"]?.text ?? "refused", labels: answer.error.labels)
        }
        return reply
    }

    /// The documents that match, all of them at once: the caller limits them.
    ///
    /// - Parameter options: such as `limit`, `sort` and `projection`.
    package func find(
        _ filter: Document, in database: String, _ collection: String, options: Document = Document(),
        session: MongoSession? = nil
    ) throws(MongoError) -> [Document] {
        guard let handle = unsafe mongoc_client_get_collection(pointer, database, collection) else {
            throw MongoError.outOfMemory
        }
        defer { unsafe mongoc_collection_destroy(handle) }
        // What is read here decides what is written: of a member that lags it would be old, whatever the URL prefers.
        guard let primary = unsafe mongoc_read_prefs_new(MONGOC_READ_PRIMARY) else { throw MongoError.outOfMemory }
        defer { unsafe mongoc_read_prefs_destroy(primary) }
        let cursor = unsafe try withOptions(options, session) { options in
            unsafe filter.withPointer { unsafe mongoc_collection_find_with_opts(handle, $0, options, primary) }
        }
        return unsafe try documents(of: cursor)
    }

    /// What a command answers with a cursor, such as `listCollections`.
    package func list(_ command: Document, in database: String) throws(MongoError) -> [Document] {
        let reply = try self.command(command, in: database)
        // C takes the reply over, and needs it on its heap.
        let cursor = unsafe reply.withPointer { reply -> OpaquePointer? in
            guard let copy = unsafe bson_copy(reply) else { return nil }
            return unsafe mongoc_cursor_new_from_command_reply_with_opts(pointer, copy, nil)
        }
        return unsafe try documents(of: cursor)
    }

    private func documents(of cursor: OpaquePointer?) throws(MongoError) -> [Document] {
        guard let cursor = unsafe cursor else { throw MongoError.outOfMemory }
        defer { unsafe mongoc_cursor_destroy(cursor) }
        var documents: [Document] = []
        var next: OpaquePointer?
        while unsafe mongoc_cursor_next(cursor, &next), let document = unsafe next {
            do throws(BSONError) { documents.append(unsafe try Document(copying: document)) } catch {
                throw .unreadable(error)
            }
        }
        var error = bson_error_t()
        var answer: OpaquePointer?
        if unsafe mongoc_cursor_error_document(cursor, &error, &answer) {
            throw unsafe MongoError(error, labels: answer.map { unsafe MongoError.labels(of: $0) } ?? [])
        }
        return documents
    }

    // MARK: C

    /// Options of a call as C wants them, with the session where there is one.
    func withOptions<R>(
        _ options: Document = Document(), _ session: MongoSession?, _ body: (OpaquePointer) -> R
    ) throws(MongoError) -> R {
        guard let made = unsafe options.withPointer({ unsafe bson_copy($0) }) else { throw MongoError.outOfMemory }
        defer { unsafe bson_destroy(made) }
        if let session {
            var error = bson_error_t()
            guard unsafe mongoc_client_session_append(session.pointer, made, &error) else { throw MongoError(error) }
        }
        return unsafe body(made)
    }

    private func withOptions<R>(_ session: MongoSession?, _ body: (OpaquePointer) -> R) throws(MongoError) -> R {
        unsafe try withOptions(Document(), session, body)
    }
}

/// What C answered to a call.
struct Answer<R> {
    let result: R
    /// Where the result says that the call has failed.
    let error: MongoError
    private let reply: Result<Document, BSONError>

    fileprivate init(_ result: R, _ error: bson_error_t, copying reply: OpaquePointer) {
        self.result = result
        self.error = unsafe MongoError(error, labels: MongoError.labels(of: reply))
        self.reply = Result { () throws(BSONError) in unsafe try Document(copying: reply) }
    }

    /// What the server said.
    ///
    /// - Throws: where it can't be read: the server has done something, and nobody knows what.
    func document() throws(MongoError) -> Document {
        do throws(BSONError) { return try reply.get() } catch { throw .unreadable(error) }
    }
}

/// A call's reply: C makes it in memory of ours, and it is let go of again.
func withReplyMemory<R>(_ body: (OpaquePointer, inout bson_error_t) -> R) -> Answer<R> {
    var error = bson_error_t()
    return unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<bson_t>.size, alignment: 128) { memory in
        guard let start = memory.baseAddress else { preconditionFailure("an allocation of some bytes has a place") }
        let reply = OpaquePointer(start)
        // Some calls leave it as it was where they fail early.
        unsafe bson_init(reply)
        let result = unsafe body(reply, &error)
        let answer = unsafe Answer(result, error, copying: reply)
        unsafe bson_destroy(reply)
        return answer
    }
}
