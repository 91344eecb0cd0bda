package import Targets

#if PostgreSQL
    internal import PostgresTarget
#endif

extension TargetSchemes {
    /// Every kind of target that this build has.
    package static let all = TargetSchemes(embedded + servers, leftOut: leftOut)

    private static var servers: [TargetScheme] {
        #if PostgreSQL
            [.postgres]
        #else
            []
        #endif
    }

    private static var leftOut: [String: String] {
        #if PostgreSQL
            [:]
        #else
            ["postgres": "PostgreSQL", "postgresql": "PostgreSQL"]
        #endif
    }
}
