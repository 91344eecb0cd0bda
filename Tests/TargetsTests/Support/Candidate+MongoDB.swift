import AllTargets
import Foundation
import MongoC
import StreamModel
import Targets

@testable import MongoDBTarget

extension Candidate {
    /// A replica set, which has transactions. Each scratch is a database of its own.
    static let mongoDB = mongo("mongodb", .replicaSet)
    static let mongoDBStandalone = mongo("mongodb standalone", .standalone)

    private static func mongo(_ name: String, _ server: Mongo) -> Candidate {
        Candidate(name: name) { scratch in
            try TargetSchemes.all.make(server.url(of: scratch))
        } items: { table, scratch in
            let reader = DocumentReader(DocumentFormat())
            return try server.documents(of: table.name.text, scratch).map { try .item(Data(reader.item(of: $0))) }
        }
    }
}

/// The servers of this process's tests: somebody's own, or stand-ins.
enum Mongo {
    case replicaSet
    case standalone

    private static let replicaSetServer = Result {
        try ThrowawayServer("mongo-standin", ["--until-stdin-closes", "--topology", "replica-set"])
    }
    private static let standaloneServer = Result { try ThrowawayServer("mongo-standin", ["--until-stdin-closes"]) }

    func url() throws -> String {
        switch self {
        case .replicaSet:
            try ProcessInfo.processInfo.environment["SHAKE_TEST_MONGODB"] ?? Self.replicaSetServer.get().url
        case .standalone:
            try ProcessInfo.processInfo.environment["SHAKE_TEST_MONGODB_STANDALONE"] ?? Self.standaloneServer.get().url
        }
    }

    static func database(of scratch: Scratch) -> String {
        "test_" + scratch.path.split(separator: "/").last!.utf8.map { String($0, radix: 16) }.joined().suffix(40)
    }

    func url(of scratch: Scratch, options: String = "") throws -> String {
        try Self.url(self.url(), database: Self.database(of: scratch), options: options)
    }

    /// A server's URL with a database in its path.
    static func url(_ url: String, database: String, options: String = "") throws -> String {
        let parts = url.split(separator: "?", maxSplits: 1)
        let place = parts[0].split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3)
            .joined(separator: "/")
        let query = [parts.count > 1 ? String(parts[1]) : "", options].filter { !$0.isEmpty }.joined(separator: "&")
        return "\(place)/\(database)\(query.isEmpty ? "" : "?\(query)")"
    }

    func client() throws -> MongoClient { try MongoPool(MongoSettings(url: url())).client() }

    func documents(of collection: String, _ scratch: Scratch) throws -> [Document] {
        try client().find(Document(), in: Self.database(of: scratch), collection)
    }
}
