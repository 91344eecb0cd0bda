internal import MongoC
internal import Targets

/// What follows from what the server says, by its number (MongoDB Manual, "Error Codes"; mongo/base/error_codes.yml).
enum Consequence: Hashable, Sendable {
    /// It may pass by itself.
    case retry
    /// It is a record's own: the others go on.
    case refuseRecord
    /// An operator must act, as the text says.
    case stop(String)

    /// Of a command as a whole.
    init(_ error: MongoError) {
        guard let code = error.code, error.labels.isDisjoint(with: MongoError.passing) else {
            self = .retry
            return
        }
        self = Self.exact[code] ?? .stop("this is not expected: look into the server's log")
    }

    /// Of one write among many. What nobody knows here is not taken for the record's own: that would pass it over, and a newer server
    /// may say by it what has to do with no record. It is tried again, and everything waits for as long as it lasts, which
    /// `status` says.
    init(ofWrite error: MongoError) { self = error.code.flatMap { Self.exact[$0] } ?? .retry }

    /// Another writer was faster with the same key, or a unique index of somebody's own has the value already.
    static let duplicateKey: Int32 = 11000
    static let namespaceExists: Int32 = 48
    static let namespaceNotFound: Int32 = 26
    /// Our own, which no server says.
    static let fenced: Int32 = -1

    private static let exact: [Int32: Consequence] = {
        var all: [Int32: Consequence] = [:]
        for code in retried { all[code] = .retry }
        for code in refused { all[code] = .refuseRecord }
        for (code, advice) in stopped { all[code] = .stop(advice) }
        return all
    }()

    private static let retried: [Int32] = [
        6, 7, 89, 9001,  // HostUnreachable, HostNotFound, NetworkTimeout, SocketException
        10107, 13435, 13436, 189, 10058,  // not the primary, or no longer
        91, 11600, 11601, 11602,  // shutting down, interrupted
        24, 46, 112, 117, 12586, 12587,  // locks, WriteConflict, another operation in progress
        50, 262, 202,  // too slow: MaxTimeMSExpired, ExceededTimeLimit
        64, 79, 100,  // the write concern could not be had in time, or not yet
        133, 134, 239, 246,  // FailedToSatisfyReadPreference, ReadConcernMajorityNotAvailableYet, snapshots
        63, 150, 13388,  // chunks that move between shards
        225, 251, 290,  // a transaction that is over
        43, 237,  // a cursor that is gone
        365, 462, 16500,  // overloaded
        14031,  // OutOfDiskSpace
    ]

    /// Only what says that it is about this document, and would be said of it the next time, too.
    private static let refused: [Int32] = [
        2, 9, 14, 15, 22,  // BadValue, FailedToParse, TypeMismatch, Overflow (nested too deep), InvalidBSON
        40, 52, 53, 54, 55, 56, 57,  // names and values that no field may have
        121,  // a validator of the collection
        171, 10088,  // arrays side by side in an index
        13026, 13027, 13068, 16755, 16756, 16804, 17261, 17262,  // what a geographical or text index can't take
        16766,  // an array in a hashed index
        10003,  // a document of a capped collection, which can't grow
        10334, 17280, 17419, 17420,  // too large for a document or an index
        duplicateKey,
    ]

    private static let stopped: [Int32: String] = [
        fenced:
            "another daemon has taken over this database: two can't write to it. End one of them, or name another database",
        MongoError.unreadable:
            "it is no MongoDB, or something between changes what it says; or a document or validator there has a text that is not UTF-8: "
            + "mend or take away that one",
        11: "there is no such user: name it in the URL, with authSource=admin if it was made there",
        13: "grant this user what it lacks: the role readWrite on the database",
        18:
            "the user or the password is wrong, or the user is one of another database: put the right ones into the URL, and "
            + "authSource=admin if the user was made there",
        8000: "Atlas lets this user not in: look at its name, its password and the addresses that may connect",
        20: "the deployment can't do this: look at its version and kind",
        namespaceNotFound: "the collection was dropped or renamed while it was used: start again",
        59: "the deployment does not know this command: it must be MongoDB 3.6 or newer",
        61: "the collection is sharded by something else than its key: shard it by {_id: \"hashed\"}",
        66: "the collection is sharded by what changes: shard it by {_id: \"hashed\"}",
        67: "an index can't be made like this",
        72: "the deployment refuses an option",
        73: "no collection can have this name: name another as target.tables",
        85: "there is an index with other options: drop it, or leave it and start with another collection",
        86: "there is another index of that name: rename or drop it",
        115: "the deployment can't do this: it is not MongoDB, or another version",
        166: "it is a view: name another collection as target.tables",
        257: "the write is more than a transaction takes: MongoDB 4.2 and newer have no such limit",
        263: "the deployment can't do this in a transaction",
        323: "the deployment takes an older set of commands only: leave apiStrict off",
    ]
}

extension TargetError {
    /// As an operator reads it. A record that is refused is named by who knows it.
    init(_ error: MongoError, target: String, during operation: String) {
        switch Consequence(error) {
        case .retry: self = .unavailable(target: target, reason: "\(operation): \(error)")
        case .refuseRecord where error.code == Consequence.duplicateKey:
            self = .unavailable(target: target, reason: "\(operation): \(error)")
        case .refuseRecord:
            self = .misconfigured(
                target: target,
                reason: "\(operation): \(error): the server won't take this however often it is asked; look at the collection")
        case .stop(let advice): self = .misconfigured(target: target, reason: "\(operation): \(error): \(advice)")
        }
    }
}
