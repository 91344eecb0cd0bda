package import Targets

#if DynamoDB
    internal import DynamoDBTarget
#endif
#if MongoDB
    internal import MongoDBTarget
#endif
#if PostgreSQL
    internal import PostgresTarget
#endif

extension TargetSchemes {
    /// Every kind of target that this build has.
    package static let all = TargetSchemes(embedded + servers, leftOut: leftOut)

    private static var servers: [TargetScheme] {
        var schemes: [TargetScheme] = []
        #if DynamoDB
            schemes.append(.dynamoDB)
        #endif
        #if MongoDB
            schemes.append(.mongoDB)
        #endif
        #if PostgreSQL
            schemes.append(.postgres)
        #endif
        return schemes
    }

    private static var leftOut: [String: String] {
        var traits: [String: String] = [:]
        #if !DynamoDB
            traits["dynamodb"] = "DynamoDB"
        #endif
        #if !MongoDB
            traits["mongodb"] = "MongoDB"
            traits["mongodb+srv"] = "MongoDB"
        #endif
        #if !PostgreSQL
            traits["postgres"] = "PostgreSQL"
            traits["postgresql"] = "PostgreSQL"
        #endif
        return traits
    }
}
