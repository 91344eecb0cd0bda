internal import Crypto
internal import Dispatch
internal import LMDB
package import StreamModel

/// Keys of one table that its stream has changed since a full sync began: what the scan brings of them may be older than what
/// is in the target.
///
/// A second LMDB environment in the journal's folder, removed when the scan is done: LMDB gives no disk back, and the journal is not
/// to grow with a table's keys. A key is kept as 16 bytes of its SHA-256: some 40 bytes of disk whatever its length, and memory only
/// as the page cache likes.
package final class TouchedKeys: Sendable {
    private let environment: Environment
    private let keys: Table
    private let folder: String
    /// `nil`: whoever asks does the work.
    private let queue: DispatchQueue?

    /// What a key is known by here.
    package struct Key: Hashable, Sendable {
        fileprivate let bytes: [UInt8]

        /// - Parameters:
        ///   - hash: the partition key's value, in one form only.
        ///   - range: the sort key's, where there is one.
        package init(hash: [UInt8], range: [UInt8]?) {
            var sha = SHA256()
            // Its length first, so that no two pairs are the same bytes.
            sha.update(data: (0..<8).map { UInt8(truncatingIfNeeded: hash.count >> (8 * $0)) })
            sha.update(data: hash)
            if let range { sha.update(data: range) }
            bytes = Array(sha.finalize().prefix(16))
        }
    }

    /// What a target is about to be given.
    package enum Step: Sendable {
        /// The stream changes these.
        case changes([Key])
        /// The scan brings these.
        case rows([Key])
    }

    /// Takes up what an earlier run has kept.
    ///
    /// - Returns: `nil` where there is nothing: then nobody knows what was touched.
    package static func resume(
        _ fullSync: FullSyncID, of table: TableName, in journal: Journal
    ) throws(JournalError) -> TouchedKeys? {
        let folder = folder(fullSync, table, journal)
        switch FileSystem.kind(of: folder) {
        case .folder(let files) where files.contains("data.mdb"): break
        case .folder, .emptyFolder, .missing, .other: return nil
        // Whoever can't look must not take it for lost: the scan would begin again.
        case .unreadable(let reason): throw .unreadable(path: folder, reason: reason)
        }
        do throws(LMDBError) {
            let environment = try open(folder)
            let keys = try environment.read { (snapshot) throws(LMDBError) in try snapshot.table(tableName) }
            return keys.map { TouchedKeys(environment, $0, folder, isInline: journal.isInline) }
        } catch {
            throw Self.error(error, folder)
        }
    }

    /// Begins with none, whatever was kept.
    package static func begin(
        _ fullSync: FullSyncID, of table: TableName, in journal: Journal, mapSize: Int = TouchedKeys.mapSize
    ) throws(JournalError) -> TouchedKeys {
        try remove(of: table, in: journal)
        let folder = folder(fullSync, table, journal)
        let folders = [root(journal), parent(table, journal), folder]
        for folder in folders {
            if let reason = FileSystem.makeFolder(folder) { throw .cannotCreate(path: folder, reason: reason) }
        }
        let begun: TouchedKeys
        do throws(LMDBError) {
            let environment = try open(folder, mapSize: mapSize)
            let keys = try environment.write { (transaction) throws(LMDBError) in
                try transaction.makeTable(tableName)
            }
            begun = TouchedKeys(environment, keys, folder, isInline: journal.isInline)
        } catch {
            throw Self.error(error, folder)
        }
        for folder in folders.reversed() + [journal.path] {
            if let reason = FileSystem.syncFolder(folder) { throw .disk(path: folder, reason: reason) }
        }
        return begun
    }

    /// Forgets what was kept of a table, if anything was.
    package static func remove(of table: TableName, in journal: Journal) throws(JournalError) {
        let parent = parent(table, journal)
        switch FileSystem.kind(of: parent) {
        case .missing, .other: return
        case .unreadable(let reason): throw .unreadable(path: parent, reason: reason)
        case .emptyFolder: break
        case .folder(let numbers):
            for number in numbers {
                if let reason = FileSystem.removeEnvironment("\(parent)/\(number)") {
                    throw .disk(path: "\(parent)/\(number)", reason: reason)
                }
            }
        }
        if let reason = FileSystem.removeEnvironment(parent) { throw .disk(path: parent, reason: reason) }
    }

    private init(_ environment: Environment, _ keys: Table, _ folder: String, isInline: Bool) {
        (self.environment, self.keys, self.folder) = (environment, keys, folder)
        queue = isInline ? nil : DispatchQueue(label: "shake.touched")
    }

    private static func open(_ folder: String, mapSize: Int = mapSize) throws(LMDBError) -> Environment {
        try EnvironmentRegistry.open(folder, mapSize: mapSize, readOnly: false)
    }

    /// Takes note of what the stream changes, durable when this returns, and says which rows nothing has touched.
    ///
    /// - Parameter steps: in the order in which the target is given them.
    /// - Returns: for each `rows`, in order: whether each of its keys is untouched.
    package func pass(_ steps: [Step]) async throws(JournalError) -> [[Bool]] {
        guard let queue else { return try passNow(steps) }
        // A transaction waits for the disk, and must hold none of Swift's threads meanwhile.
        let result: Result<[[Bool]], JournalError> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result { () throws(JournalError) in try self.passNow(steps) })
            }
        }
        return try result.get()
    }

    private func passNow(_ steps: [Step]) throws(JournalError) -> [[Bool]] {
        while true {
            do throws(LMDBError) {
                return try environment.write { (transaction) throws(LMDBError) in try pass(steps, &transaction) }
            } catch {
                guard error.isMapFull else { throw Self.error(error, folder) }
                let size = environment.mapSize
                do throws(LMDBError) { try environment.grow(to: size * 2) } catch {
                    throw .mapFull(path: folder, bytes: size)
                }
            }
        }
    }

    private func pass(_ steps: [Step], _ transaction: inout WriteTransaction) throws(LMDBError) -> [[Bool]] {
        var untouched: [[Bool]] = []
        for step in steps {
            switch step {
            case .changes(let changed):
                // What is there already dirties no page, and a transaction without one costs no disk.
                for key in changed where try !holds(key, transaction) {
                    try transaction.put([], for: key.bytes, in: keys)
                }
            case .rows(let rows):
                var found: [Bool] = []
                found.reserveCapacity(rows.count)
                for key in rows { found.append(try !holds(key, transaction)) }
                untouched.append(found)
            }
        }
        return untouched
    }

    private func holds(_ key: Key, _ transaction: borrowing WriteTransaction) throws(LMDBError) -> Bool {
        try transaction.value(for: key.bytes, in: keys) != nil
    }

    /// Of address space; LMDB takes no disk for it until it is used. It doubles when it is full.
    package static let mapSize = 64 << 30
    private static let tableName = "keys"

    private static func root(_ journal: Journal) -> String { "\(journal.path)/touched" }
    private static func parent(_ table: TableName, _ journal: Journal) -> String { "\(root(journal))/\(table)" }
    private static func folder(_ fullSync: FullSyncID, _ table: TableName, _ journal: Journal) -> String {
        "\(parent(table, journal))/\(fullSync.number)"
    }

    private static func error(_ error: LMDBError, _ folder: String) -> JournalError {
        if error.isCorrupted || error.isForeign || error.isBadTransaction {
            return .damaged(
                path: folder, position: nil,
                problem:
                    "what the stream changed beside a scan can't be read (\(error)). Without this folder the scan begins again"
            )
        }
        return .disk(path: folder, reason: "\(error)")
    }
}
