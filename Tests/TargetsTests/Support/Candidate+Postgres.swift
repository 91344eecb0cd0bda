import AllTargets
import Foundation
import LibPQ
import StreamModel
import Targets

@testable import PostgresTarget

extension Candidate {
    /// Each scratch is a schema of its own.
    static let postgres = Candidate(name: "postgres") { scratch in
        try Postgres.makeSchema(scratch)
        return try TargetSchemes.all.make(
            Postgres.url(), options: TargetOptions([.init(path: ["schema"], value: Postgres.schema(of: scratch))]))
    } items: { table, scratch in
        let rows = try Connection(ConnectionSettings(url: Postgres.url())).execute(
            "SELECT item::text FROM \(PostgresSchema(schema: Postgres.schema(of: scratch)).place(table.name.text))")
        return try rows.values.map { try .item(Data(ItemText.unescaped(json: $0[0] ?? []))) }
    }
}

/// The server of this process's tests: somebody's own, or a throwaway cluster.
enum Postgres {
    private static let server = Result {
        // Every case of every test has a connection of its own, and they run side by side.
        try ThrowawayServer("postgres-throwaway", ["--fast", "--set", "max_connections=1000"])
    }

    static func url() throws -> String {
        try ProcessInfo.processInfo.environment["SHAKE_TEST_POSTGRES"] ?? server.get().url
    }

    static func schema(of scratch: Scratch) -> String {
        "test_" + scratch.path.split(separator: "/").last!.utf8.map { String($0, radix: 16) }.joined().suffix(40)
    }

    static func makeSchema(_ scratch: Scratch) throws {
        _ = try Connection(ConnectionSettings(url: url())).execute(
            "CREATE SCHEMA IF NOT EXISTS \(PostgresSchema.quoted(schema(of: scratch)))")
    }
}
