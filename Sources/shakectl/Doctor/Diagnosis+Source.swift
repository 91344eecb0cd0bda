internal import Dispatcher
internal import DynamoDB
internal import StreamModel

/// What is said of credentials, and of what they may do.
extension Diagnosis {
    /// - Parameter identity: whom they belong to, or why that is not known.
    static func credentials(
        _ found: CredentialsInUse, _ identity: Result<CallerIdentity?, DynamoDBError>, now: Timestamp
    ) -> Diagnosis {
        var detail = "access key \(found.accessKeyID) from \(found.place ?? "a provider of its own")"
        if found.isTemporary { detail += ", with a session token" }
        if let end = found.expiration { detail += ", good for \(Spoken.duration(max(.zero, end - now)))" }
        switch identity {
        case .success(let caller?): return ok("credentials", "\(detail): \(caller.arn)")
        case .success(nil): return ok("credentials", detail)
        case .failure(let error) where error.exitCode == 77 && !error.isDenied:
            return refused(detail, error)
        case .failure(let error):
            // Whom they belong to is nothing that the daemon asks.
            return ok("credentials", "\(detail); whom they belong to is not known (\(error))")
        }
    }

    static func refused(_ credentials: String, _ error: DynamoDBError) -> Diagnosis {
        problem(
            "credentials", "\(credentials): \(error)",
            do: "put in keys that are in force; a session token must be that of its key, and not expired",
            exitCode: error.exitCode)
    }

    /// A call that was refused for want of a permission.
    ///
    /// - Parameters:
    ///   - resource: what the permission must be for.
    ///   - actions: that are needed on it besides.
    static func denied(
        _ action: String, table: String?, _ message: String, on resource: String, with actions: [String]
    ) -> Diagnosis {
        let named = JSON.array(([action] + actions).map { .string($0) }).line
        return problem(
            action, table: table, "not allowed on \(resource)\(message.isEmpty ? "" : " (\(message))")",
            do: #"let these credentials have {"Effect":"Allow","Action":\#(named),"Resource":"\#(resource)"}"#,
            exitCode: 77)
    }

    static func unreachable(_ error: DynamoDBError, region: String) -> Diagnosis {
        problem(
            "source", error.description,
            do:
                "is \(region) a region, and does DNS know the endpoint from here (getent hosts, curl -v)? Without an endpoint of "
                + "your own, leave --source-endpoint out",
            exitCode: error.exitCode)
    }
}
