internal import CMongoC

/// What the server refused, or that it is out of reach.
package struct MongoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server's number of what happened; `nil` where no server said it: out of reach, cut off, too slow.
    /// Source: MongoDB Manual, "Error Codes".
    package let code: Int32?
    /// One line, without what was in the documents.
    package let message: String
    /// What a driver may do: those of `passing` that the server has said.
    package let labels: Set<String>

    package init(code: Int32?, message: String, labels: Set<String> = []) {
        self.code = code
        self.message = Self.line(message)
        self.labels = labels
    }

    /// Nobody answered: what was asked for may have been done or not, or be done still.
    package var isConnectionLost: Bool { code == nil }
    package var isTransient: Bool { labels.contains("TransientTransactionError") }
    package var isCommitUnknown: Bool { labels.contains("UnknownTransactionCommitResult") }

    package var description: String { code.map { "\(message) (code \($0))" } ?? message }
}

extension MongoError {
    /// - Parameter labels: of what the server said, where it said something: the error has none.
    init(_ error: bson_error_t, labels: Set<String> = []) {
        let message = unsafe withUnsafeBytes(of: error.message) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(code: Self.code(of: error), message: message, labels: labels)
    }

    /// Asked of C, which finds them also in what can't be read otherwise.
    static func labels(of reply: OpaquePointer) -> Set<String> {
        Set(passing.filter { unsafe mongoc_error_has_label(reply, $0) })
    }

    /// What a driver may do again, by one label or another.
    package static let passing: Set<String> = [
        "TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError",
    ]

    private static func code(of error: bson_error_t) -> Int32? {
        switch mongoc_error_domain_t(error.domain) {
        // Of these the code is the server's (mongoc_client_set_error_api, version 2).
        case MONGOC_ERROR_SERVER, MONGOC_ERROR_WRITE_CONCERN: Int32(bitPattern: error.code)
        // Of a login that fails libmongoc has a number of its own.
        case MONGOC_ERROR_CLIENT where error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue: authenticationFailed
        case MONGOC_ERROR_SCRAM, MONGOC_ERROR_SASL: authenticationFailed
        default: nil
        }
    }

    package static let authenticationFailed: Int32 = 18
    /// Our own, which no server says: it has answered, and what it was can't be told.
    package static let unreadable: Int32 = -2
    package static let outOfMemory = MongoError(code: nil, message: "out of memory")

    static func unreadable(_ error: BSONError) -> MongoError {
        MongoError(code: unreadable, message: "the answer can't be read: \(error.reason)")
    }

    /// A server's words can hold the document that it refuses, and do hold the value of a key that is there already.
    private static func line(_ text: String) -> String {
        let line = text.split(separator: "\n").first.map(String.init) ?? "no reason is said"
        let first = line.firstRange(of: " dup key:").map { String(line[..<$0.lowerBound]) } ?? line
        return first.utf8.count > 600 ? "\(first.prefix(600))…" : first
    }
}
