package import Targets

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
        var servers: [TargetScheme] = []
        #if MongoDB
            servers.append(.mongoDB)
        #endif
        #if PostgreSQL
            servers.append(.postgres)
        #endif
        return servers
    }

    private static var leftOut: [String: String] {
        var leftOut: [String: String] = [:]
        #if !MongoDB
            for name in ["mongodb", "mongodb+srv"] { leftOut[name] = "MongoDB" }
        #endif
        #if !PostgreSQL
            for name in ["postgres", "postgresql"] { leftOut[name] = "PostgreSQL" }
        #endif
        return leftOut
    }
}
