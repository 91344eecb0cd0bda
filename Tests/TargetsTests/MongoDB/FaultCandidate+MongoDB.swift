import Foundation
import MongoC
import StreamModel
import Targets

@testable import MongoDBTarget

extension FaultCandidate {
    /// Its transactions are a replica set's.
    static let mongoDB = FaultCandidate(name: "mongodb") { try SpoiltMongo.replicaSet.get() }
    static let mongoDBStandalone = FaultCandidate(name: "mongodb standalone") { try SpoiltMongo.standalone.get() }
}

/// A stand-in of its own, and a proxy before it.
private final class SpoiltMongo: FaultyServer {
    static let replicaSet = Result { try SpoiltMongo("replica-set") }
    static let standalone = Result { try SpoiltMongo("standalone") }

    /// libmongoc makes reads, writes and commits again, once.
    let isTriedAgainWithin = true
    private let server: ThrowawayServer
    private let proxy: FaultProxy
    private let port: String

    private init(_ topology: String) throws {
        server = try ThrowawayServer(
            "mongo-standin",
            [
                "--until-stdin-closes", "--topology", topology, "--user", "shake:s3same", "--reader", "looker:s3same",
            ])
        guard let port = server.url.firstMatch(of: #/127\.0\.0\.1:(\d+)/#)?.output.1 else {
            throw WireValue.Malformed("the stand-in says \(server.url)")
        }
        self.port = String(port)
        proxy = try FaultProxy(to: "127.0.0.1:\(port)")
    }

    /// A member would name itself by its own port, and not by the proxy's.
    private func url(_ user: String, _ port: String, _ scratch: Scratch, patience: Duration) -> String {
        let (seconds, attoseconds) = patience.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return "mongodb://\(user)@127.0.0.1:\(port)/\(Mongo.database(of: scratch))?authSource=admin&directConnection=true"
            + "&serverSelectionTimeoutMS=2000&heartbeatFrequencyMS=500&socketTimeoutMS=\(milliseconds)"
    }

    private func target(_ user: String, _ scratch: Scratch, patience: Duration) throws -> any Target {
        try TargetSchemes.all.make(
            url(user, "\(proxy.port)", scratch, patience: patience),
            options: TargetOptions([.init(path: ["format"], value: "plain")]))
    }

    private func client(_ scratch: Scratch) throws -> MongoClient {
        try MongoPool(MongoSettings(url: url("shake:s3same", port, scratch, patience: .seconds(20)))).client()
    }

    func make(_ scratch: Scratch, patience: Duration) throws -> any Target {
        try target("shake:s3same", scratch, patience: patience)
    }

    func items(of table: TableSchema, _ scratch: Scratch) throws -> [WireValue] {
        let reader = DocumentReader(DocumentFormat(.plain))
        return try client(scratch).find(Document(), in: Mongo.database(of: scratch), table.name.text)
            .map { try .item(Data(reader.item(of: $0))) }
    }

    func spoil(_ fault: Fault) throws {
        guard try !proxy.spoil(fault) else { return }
        try server.obey(fault == .restarted ? "restart" : "kill")
        if fault == .killed { try server.obey("start") }
    }

    /// 38 digits, which no number of BSON's has.
    func refusedItem(_ id: String) -> String {
        #"{"id":{"S":"\#(id)"},"value":{"N":"12345678901234567890123456789012345678"}}"#
    }

    func heal() throws { try proxy.say("heal") }

    func make(_ scratch: Scratch, by somebody: Unwelcome) throws -> (any Target, words: String)? {
        let (user, words) =
            switch somebody {
            case .wrongPassword: ("shake:\(Unwelcome.password)", "the password is wrong")
            case .noRights: ("looker:s3same", "grant this user")
            // A database is there as soon as somebody writes to it.
            case .wrongPlace: ("", "")
            }
        return user.isEmpty ? nil : (try target(user, scratch, patience: .seconds(20)), words)
    }
}
