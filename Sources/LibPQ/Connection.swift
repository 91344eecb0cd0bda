internal import CLibPQ
internal import Glibc

/// A connection to a PostgreSQL server. One thread at a time uses it, which its calls block.
///
/// No call waits for ever: a server that says nothing for `patience` is given up, and with it the connection.
@safe package final class Connection {
    /// One of several statements that are sent together.
    package struct Step: Sendable {
        let statement: String
        let parameters: [Parameter]

        /// - Parameter statement: the name that it was prepared under.
        package init(_ statement: String, _ parameters: [Parameter]) {
            self.statement = statement
            self.parameters = parameters
        }
    }

    private let pointer: OpaquePointer
    private let patience: Duration

    /// - Throws: why the server can't be reached, or doesn't want this user.
    package init(_ settings: ConnectionSettings, patience: Duration = .seconds(60)) throws(PostgresError) {
        self.patience = patience
        let parameters = settings.parameters
        let pointer = unsafe Self.withCStrings(parameters.map(\.name)) { names in
            unsafe Self.withCStrings(parameters.map(\.value)) { values in
                unsafe PQconnectdbParams(names, values, 0)
            }
        }
        guard let pointer = unsafe pointer else {
            throw PostgresError(sqlState: nil, message: "out of memory", isConnectionLost: true)
        }
        unsafe self.pointer = pointer
        // What is thrown from here on ends in `deinit`, too.
        guard unsafe PQstatus(pointer) == CONNECTION_OK else { throw unsafe Self.failureToConnect(pointer) }
        _ = unsafe PQsetnonblocking(pointer, 1)
        // Notices are the server's log's, and not this program's standard error's.
        _ = unsafe PQsetNoticeReceiver(pointer, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(pointer) }

    // MARK: Statements

    /// Runs a statement by itself.
    package func execute(_ sql: String, _ parameters: [Parameter] = []) throws(PostgresError) -> Rows {
        let sent = unsafe Self.with(parameters) { count, values, lengths, formats in
            unsafe PQsendQueryParams(pointer, sql, count, nil, values, lengths, formats, 0)
        }
        guard sent == 1 else { throw lost() }
        return try results(of: 1)[0]
    }

    /// Several statements without values, in one transaction.
    package func script(_ sql: String) throws(PostgresError) {
        guard unsafe PQsendQuery(pointer, sql) == 1 else { throw lost() }
        try flush()
        var failure: PostgresError?
        while let result = unsafe try next() {
            defer { unsafe PQclear(result) }
            if let error = unsafe Self.error(of: result) { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Has the server ready `sql` under a name, for as long as the connection lives.
    package func prepare(_ name: String, _ sql: String) throws(PostgresError) {
        guard unsafe PQsendPrepare(pointer, name, sql, 0, nil) == 1 else { throw lost() }
        _ = try results(of: 1)
    }

    /// Sends all at once, and waits once: they are one transaction, of which all is done or nothing.
    ///
    /// Source: libpq, "Pipeline Mode": what stands before a synchronization point and is in no transaction of its own, is one.
    package func pipeline(_ steps: [Step]) throws(PostgresError) -> [Rows] {
        guard unsafe PQenterPipelineMode(pointer) == 1 else { throw lost() }
        for step in steps {
            let sent = unsafe Self.with(step.parameters) { count, values, lengths, formats in
                unsafe PQsendQueryPrepared(pointer, step.statement, count, values, lengths, formats, 0)
            }
            guard sent == 1 else { throw lost() }
        }
        guard unsafe PQpipelineSync(pointer) == 1 else { throw lost() }
        let rows: [Rows]
        do throws(PostgresError) {
            rows = try pipelined(steps.count)
        } catch {
            guard unsafe PQexitPipelineMode(pointer) == 1 else {
                // Answers are left that the next call would take for its own.
                throw PostgresError(sqlState: error.sqlState, message: error.message, isConnectionLost: true)
            }
            throw error
        }
        guard unsafe PQexitPipelineMode(pointer) == 1 else { throw lost() }
        return rows
    }

    private func pipelined(_ count: Int) throws(PostgresError) -> [Rows] {
        try flush()
        var rows: [Rows] = []
        var failure: PostgresError?
        for _ in 0..<count {
            while let result = unsafe try next() {
                defer { unsafe PQclear(result) }
                if unsafe PQresultStatus(result) == PGRES_PIPELINE_ABORTED { continue }
                if let error = unsafe Self.error(of: result) {
                    failure = failure ?? error
                } else {
                    rows.append(unsafe Rows(result))
                }
            }
        }
        // The synchronization point: only now the transaction is committed, or that has failed; its error is a result with an end,
        // and stands before the point.
        var isAtEnd = false
        while true {
            guard let result = unsafe try next() else {
                if isAtEnd { throw failure ?? lost() }
                isAtEnd = true
                continue
            }
            isAtEnd = false
            defer { unsafe PQclear(result) }
            if unsafe PQresultStatus(result) == PGRES_PIPELINE_SYNC { break }
            if let error = unsafe Self.error(of: result) { failure = failure ?? error }
        }
        if let failure { throw failure }
        return rows
    }

    private func results(of count: Int) throws(PostgresError) -> [Rows] {
        try flush()
        var rows: [Rows] = []
        var failure: PostgresError?
        while let result = unsafe try next() {
            defer { unsafe PQclear(result) }
            if let error = unsafe Self.error(of: result) {
                failure = failure ?? error
            } else {
                rows.append(unsafe Rows(result))
            }
        }
        if let failure { throw failure }
        guard rows.count == count else { throw lost() }
        return rows
    }

    // MARK: Waiting

    /// The next result, which whoever asked must clear; `nil` at the end of a statement's.
    private func next() throws(PostgresError) -> OpaquePointer? {
        while unsafe PQisBusy(pointer) == 1 {
            try wait(for: Int16(POLLIN))
            guard unsafe PQconsumeInput(pointer) == 1 else { throw lost() }
        }
        return unsafe PQgetResult(pointer)
    }

    /// Sends what waits to be sent, and reads what comes meanwhile: two that only send would wait for each other for ever.
    private func flush() throws(PostgresError) {
        while true {
            switch unsafe PQflush(pointer) {
            case 0: return
            case 1:
                try wait(for: Int16(POLLIN) | Int16(POLLOUT))
                guard unsafe PQconsumeInput(pointer) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    private func wait(for events: Int16) throws(PostgresError) {
        let (seconds, attoseconds) = patience.components
        let milliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        while true {
            var watched = unsafe pollfd(fd: PQsocket(pointer), events: events, revents: 0)
            let ready = unsafe poll(&watched, 1, milliseconds)
            if ready > 0 { return }
            if ready < 0, errno == EINTR { continue }
            throw PostgresError(
                sqlState: nil, message: "the server has said nothing for \(seconds) s", isConnectionLost: true)
        }
    }

    // MARK: Errors

    private func lost() -> PostgresError {
        PostgresError(
            sqlState: nil, message: unsafe Self.line(PQerrorMessage(pointer)) ?? "the connection was cut",
            isConnectionLost: true)
    }

    /// What `result` says went wrong; `nil` where nothing did.
    private static func error(of result: OpaquePointer) -> PostgresError? {
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC: return nil
        default:
            let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { unsafe String(cString: $0) }
            let message = unsafe line(PQresultErrorField(result, Int32(UInt8(ascii: "M"))))
            // A session that ends says so with its last words; without any the connection was cut.
            let isLost = state.map { $0.hasPrefix("08") || $0.hasPrefix("57P") } ?? true
            return PostgresError(
                sqlState: state, message: unsafe message ?? line(PQresultErrorMessage(result)) ?? "cut off",
                isConnectionLost: isLost)
        }
    }

    /// libpq has no code for what went wrong before there was a session: only words, in which a server's refusal is marked.
    private static func failureToConnect(_ pointer: OpaquePointer) -> PostgresError {
        let message = unsafe line(PQerrorMessage(pointer)) ?? "no answer"
        let state: String? =
            if message.contains("password authentication failed") || message.contains("no password supplied") {
                "28P01"
            } else if message.contains("no pg_hba.conf entry")
                || message.contains("role \"") && message.contains("not exist")
            {
                "28000"
            } else if message.contains("database \"") && message.contains("does not exist") {
                "3D000"
            } else if message.contains("permission denied for database") {
                "42501"
            } else if message.contains("too many clients") || message.contains("remaining connection slots") {
                "53300"
            } else if message.contains("the database system is") {
                "57P03"
            } else {
                nil
            }
        return PostgresError(sqlState: state, message: message, isConnectionLost: true)
    }

    /// The first line of what C says, which has the reason; the rest are hints and positions.
    private static func line(_ text: UnsafePointer<CChar>?) -> String? {
        guard let text = unsafe text else { return nil }
        let first = unsafe String(cString: text).split(separator: "\n").first.map(String.init)
        return first.map { $0.hasPrefix("FATAL:  ") ? String($0.dropFirst(8)) : $0 }
    }

    // MARK: C

    /// A list of C strings with a null pointer at its end.
    private static func withCStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R
    ) -> R {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        let list = unsafe copies.map { unsafe $0.map { unsafe UnsafePointer($0) } } + [nil]
        return unsafe list.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }

    /// Lends parameters to C; nothing of them is copied.
    private static func with<R>(
        _ parameters: [Parameter],
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let lengths = parameters.map { Int32(clamping: $0.bytes?.count ?? 0) }
        let formats: [Int32] = parameters.map { $0.isBinary ? 1 : 0 }
        return unsafe pointers(parameters[...], []) { values in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe lengths.withUnsafeBufferPointer { lengths in
                    unsafe formats.withUnsafeBufferPointer { formats in
                        unsafe body(
                            Int32(parameters.count), values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }

    /// One level deeper for each parameter: each array lends its bytes only for as long as a closure runs.
    private static func pointers<R>(
        _ rest: ArraySlice<Parameter>, _ known: [UnsafePointer<CChar>?],
        _ body: ([UnsafePointer<CChar>?]) -> R
    ) -> R {
        guard let first = rest.first else { return unsafe body(known) }
        guard let bytes = first.bytes else { return unsafe pointers(rest.dropFirst(), known + [nil], body) }
        return unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe pointers(rest.dropFirst(), known + [start], body)
        }
    }
}
