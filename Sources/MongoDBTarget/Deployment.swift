internal import MongoC

/// What a deployment says about itself.
struct Deployment: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case standalone, replicaSet, sharded }

    let kind: Kind
    /// Source: MongoDB's driver specifications: 7 is version 4.0, 8 is 4.2, 9 is 4.4, 13 is 5.0, 17 is 6.0.
    let wireVersion: Int64
    private let hasSessions: Bool

    init(hello: Document) {
        kind =
            if hello["msg"]?.text == "isdbgrid" {
                .sharded
            } else if hello["setName"] != nil {
                .replicaSet
            } else {
                .standalone
            }
        wireVersion = hello["maxWireVersion"]?.integer ?? 0
        hasSessions = hello["logicalSessionTimeoutMinutes"]?.integer != nil
    }

    /// From version 4.2 on: 4.0 had them in replica sets, of no more than 16 MB.
    var hasTransactions: Bool { kind != .standalone && wireVersion >= 8 && hasSessions }

    /// Of database and collection together, in bytes.
    var longestName: Int { wireVersion >= 9 ? 255 : 120 }
}
