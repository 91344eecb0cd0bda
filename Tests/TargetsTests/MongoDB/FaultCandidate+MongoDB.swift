import AllTargets
import Foundation
import MongoC
import StreamModel
import Targets

@testable import MongoDBTarget

extension FaultCandidate {
    /// Of the kinds that have transactions the one whose members don't say where they are: others would be found beside the proxy.
    static let mongoDB = FaultCandidate(name: "mongodb") { try SpoiltMongo.sharded.get() }
    static let mongoDBStandalone = FaultCandidate(name: "mongodb standalone") { try SpoiltMongo.standalone.get() }
}

/// A stand-in of its own, and a proxy before it.
private final class SpoiltMongo: FaultyServer {
    static let sharded = Result { try SpoiltMongo("sharded", answered: "commitTransaction") }
    static let standalone = Result { try SpoiltMongo("standalone", answered: "replacement") }

    /// libmongoc asks for a commit twice, and finds a new connection by itself.
    let isTriedAgainWithin = true
    private let server: ThrowawayServer
    private let proxy: FaultProxy
    private let place: String
    /// What the message has in it whose answer is to be lost: a heartbeat's would be nothing.
    private let word: String

    private init(_ topology: String, answered word: String) throws {
        self.word = word
        server = try ThrowawayServer(
            "mongo-standin",
            [
                "--until-stdin-closes", "--topology", topology, "--user", "shake:r1ght-s3cret", "--reader",
                "guest:\(Unwelcome.password)",
            ])
        place = String(server.url.split(separator: "@").last!.prefix { $0 != "/" })
        proxy = try FaultProxy(to: place)
    }

    private func target(_ user: String, _ database: String, patience: Duration) throws -> any Target {
        let milliseconds = patience.components.seconds * 1000 + patience.components.attoseconds / 1_000_000_000_000_000
        return try TargetSchemes.all.make(
            "mongodb://\(user)@127.0.0.1:\(proxy.port)/\(database)?authSource=admin&socketTimeoutMS=\(milliseconds)"
                + "&connectTimeoutMS=\(min(milliseconds, 2000))&serverSelectionTimeoutMS=2000&heartbeatFrequencyMS=500")
    }

    func make(_ scratch: Scratch, patience: Duration) throws -> any Target {
        _ = try? client().command(
            Document(extendedJSON: #"{"create":"people","validator":{"value.S":{"$ne":"refused"}}}"#),
            in: Mongo.database(of: scratch))
        return try target("shake:r1ght-s3cret", Mongo.database(of: scratch), patience: patience)
    }

    private func client() throws -> MongoClient { try MongoPool(MongoSettings(url: server.url)).client() }

    func items(of table: TableSchema, _ scratch: Scratch) throws -> [WireValue] {
        let reader = DocumentReader(DocumentFormat())
        return try client().find(Document(), in: Mongo.database(of: scratch), table.name.text)
            .map { try .item(Data(reader.item(of: $0))) }
    }

    func spoil(_ fault: Fault) throws {
        if fault == .answerLost { return try proxy.say("swallow \(word)") }
        guard try !proxy.spoil(fault) else { return }
        try server.obey(fault == .restarted ? "restart" : "kill")
        if fault == .killed { try server.obey("start") }
    }

    func heal() throws { try proxy.say("heal") }

    /// The collection's validator takes all others.
    func refusedItem(_ id: String) -> String { #"{"id":{"S":"\#(id)"},"value":{"S":"refused"}}"# }

    func make(_ scratch: Scratch, by somebody: Unwelcome) throws -> (any Target, words: String)? {
        let database = Mongo.database(of: scratch)
        return switch somebody {
        case .wrongPassword:
            (
                try target("shake:\(Unwelcome.password)", database, patience: .seconds(20)),
                "the user or the password is wrong"
            )
        // A database is made by whoever writes to it first.
        case .wrongPlace: nil
        case .noRights:
            (try target("guest:\(Unwelcome.password)", database, patience: .seconds(20)), "grant this user")
        }
    }
}
