import Foundation
import LibPQ
import StreamModel
import Targets

@testable import PostgresTarget

extension FaultCandidate {
    static let postgres = FaultCandidate(name: "postgres") { try SpoiltPostgres.shared.get() }
}

/// A cluster of its own, and a proxy before it.
private final class SpoiltPostgres: FaultyServer {
    static let shared = Result { try SpoiltPostgres() }

    let isTriedAgainWithin = false
    private let server: ThrowawayServer
    private let proxy: FaultProxy
    private let limited: String

    private init() throws {
        server = try ThrowawayServer("postgres-throwaway", ["--fast"])
        let settings = try ConnectionSettings(url: server.url)
        proxy = try FaultProxy(to: "\(settings.host):\(settings.port)")
        limited = try server.obey("limited")
    }

    private var url: String { through(server.url) }

    private func through(_ url: String) -> String {
        guard let at = url.firstIndex(of: "@"), let slash = url[at...].firstIndex(of: "/") else { return url }
        // The proxy speaks no TLS of its own, and a cut must not be answered by another try without it.
        return "\(url[...at])127.0.0.1:\(proxy.port)\(url[slash...])?sslmode=disable"
    }

    private func target(_ url: String, _ scratch: Scratch, patience: Duration) throws -> PostgresTarget {
        PostgresTarget(
            settings: try ConnectionSettings(url: url), schema: Postgres.schema(of: scratch),
            names: TableNames(TargetOptions()), columns: try Columns(TargetOptions(), target: "postgres:"),
            existing: .refuse, patience: patience)
    }

    func make(_ scratch: Scratch, patience: Duration) throws -> any Target {
        try ask("CREATE SCHEMA IF NOT EXISTS \(PostgresSchema.quoted(Postgres.schema(of: scratch)))")
        return try target(url, scratch, patience: patience)
    }

    @discardableResult
    private func ask(_ sql: String) throws -> Rows { try Connection(ConnectionSettings(url: server.url)).execute(sql) }

    func items(of table: TableSchema, _ scratch: Scratch) throws -> [WireValue] {
        let place = PostgresSchema(schema: Postgres.schema(of: scratch)).place(table.name.text)
        return try ask("SELECT item::text FROM \(place)").values
            .map { try .item(Data(ItemText.unescaped(json: $0[0] ?? []))) }
    }

    func spoil(_ fault: Fault) throws {
        guard try !proxy.spoil(fault) else { return }
        try server.obey(fault == .restarted ? "restart" : "kill")
        if fault == .killed { try server.obey("start") }
    }

    func heal() throws { try proxy.say("heal") }

    /// Half of a surrogate pair is no text to PostgreSQL.
    func refusedItem(_ id: String) -> String { #"{"id":{"S":"\#(id)"},"value":{"S":"\ud800"}}"# }

    func make(_ scratch: Scratch, by somebody: Unwelcome) throws -> (any Target, words: String)? {
        try ask("CREATE SCHEMA IF NOT EXISTS \(PostgresSchema.quoted(Postgres.schema(of: scratch)))")
        let (url, words) =
            switch somebody {
            case .wrongPassword:
                (
                    server.url.replacing(#/:[^:@/]+@/#, with: ":\(Unwelcome.password)@"),
                    "the password is wrong"
                )
            case .wrongPlace: ("\(server.url)x", "no such database")
            case .noRights: (limited, "grant this user")
            }
        return (try target(through(url), scratch, patience: .seconds(20)), words)
    }
}
