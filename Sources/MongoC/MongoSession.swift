internal import CMongoC

/// A logical session of one client: what a lost connection left running under it can be ended, and its transactions are told apart.
@safe package final class MongoSession {
    let pointer: OpaquePointer
    private let client: MongoClient

    package init(_ client: MongoClient) throws(MongoError) {
        var error = bson_error_t()
        guard let pointer = unsafe mongoc_client_start_session(client.pointer, nil, &error) else {
            throw MongoError(error)
        }
        unsafe self.pointer = pointer
        self.client = client
    }

    /// A transaction that is open is aborted.
    deinit { unsafe mongoc_client_session_destroy(pointer) }

    /// What the server knows it by.
    package var identifier: Document {
        unsafe mongoc_client_session_get_lsid(pointer).flatMap { unsafe try? Document(copying: $0) } ?? Document()
    }

    // MARK: Transactions

    var isInTransaction: Bool { unsafe mongoc_client_session_in_transaction(pointer) }

    /// Nothing is sent before the first command; the commit waits for a majority's journals.
    ///
    /// - Parameter limit: of the commit at the server, in milliseconds.
    package func begin(limit: Int64) throws(MongoError) {
        guard let options = unsafe mongoc_transaction_opts_new(), let concern = unsafe mongoc_write_concern_new(),
            let primary = unsafe mongoc_read_prefs_new(MONGOC_READ_PRIMARY)
        else { throw MongoError.outOfMemory }
        defer {
            unsafe mongoc_transaction_opts_destroy(options)
            unsafe mongoc_write_concern_destroy(concern)
            unsafe mongoc_read_prefs_destroy(primary)
        }
        // By the URL's, libmongoc would send the commands of the transaction to another member, which takes none.
        unsafe mongoc_transaction_opts_set_read_prefs(options, primary)
        unsafe mongoc_write_concern_set_wmajority(concern, Int32(clamping: limit))
        unsafe mongoc_write_concern_set_journal(concern, true)
        unsafe mongoc_transaction_opts_set_write_concern(options, concern)
        unsafe mongoc_transaction_opts_set_max_commit_time_ms(options, limit)
        var error = bson_error_t()
        guard unsafe mongoc_client_session_start_transaction(pointer, options, &error) else {
            throw MongoError(error)
        }
    }

    /// May be asked again where nobody said how it ended: the server knows the transaction by its number.
    package func commit() throws(MongoError) {
        let answer = unsafe withReplyMemory { reply, error in
            unsafe mongoc_client_session_commit_transaction(pointer, reply, &error)
        }
        guard answer.result else { throw answer.error }
    }

    /// What can't be aborted because nobody answers is aborted by the server, after a minute.
    package func abort() {
        var error = bson_error_t()
        _ = unsafe mongoc_client_session_abort_transaction(pointer, &error)
    }
}
