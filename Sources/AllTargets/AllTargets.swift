package import Targets

#if DynamoDB
    internal import DynamoDBTarget
#endif
#if PostgreSQL
    internal import PostgresTarget
#endif

extension TargetSchemes {
    /// Every kind of target that this build has.
    package static let all = TargetSchemes(embedded + servers, leftOut: leftOut)

    private static var servers: [TargetScheme] {
        var all: [TargetScheme] = []
        #if PostgreSQL
            all.append(.postgres)
        #endif
        #if DynamoDB
            all.append(.dynamoDB)
        #endif
        return all
    }

    private static var leftOut: [String: String] {
        var all: [String: String] = [:]
        #if !PostgreSQL
            all["postgres"] = "PostgreSQL"
            all["postgresql"] = "PostgreSQL"
        #endif
        #if !DynamoDB
            all["dynamodb"] = "DynamoDB"
        #endif
        return all
    }
}
