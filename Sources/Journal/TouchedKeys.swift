internal import Crypto
internal import Dispatch
internal import LMDB
package import StreamModel
internal import Synchronization

/// Keys of one table that its stream has changed since a full sync began: what the scan brings of them may be older than what
/// is in the target. And, of a full sync that is not the table's first, those that the scan has brought: what is in the target
/// and neither here nor there is gone at the source.
///
/// A second LMDB environment in the journal's folder, removed when the scan is done: LMDB gives no disk back, and the journal is not
/// to grow with a table's keys. A key is kept as 16 bytes of its SHA-256: some 40 bytes of disk whatever its length, and memory only
/// as the page cache likes.
package final class TouchedKeys: Sendable {
    /// `nil` once it is closed.
    private let environment: Mutex<Environment?>
    private let changed: Table
    /// `nil` where the full sync ends without a sweep.
    private let seen: Table?
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
        /// The target has these, and the scan is at its end.
        case sweep([Key])

        fileprivate var keys: [Key] {
            switch self {
            case .changes(let keys), .rows(let keys), .sweep(let keys): keys
            }
        }
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
            let (changed, seen) = try environment.read { (snapshot) throws(LMDBError) in
                (try snapshot.table(changedName), try snapshot.table(seenName))
            }
            return changed.map { TouchedKeys(environment, $0, seen: seen, folder, isInline: journal.isInline) }
        } catch {
            throw Self.error(error, folder)
        }
    }

    /// Begins with none, whatever was kept.
    ///
    /// - Parameter sweeping: whether the full sync ends with a sweep. It is remembered with the keys, so that every restart within
    ///   the scan finds the same.
    package static func begin(
        _ fullSync: FullSyncID, of table: TableName, in journal: Journal, sweeping: Bool = false,
        mapSize: Int = TouchedKeys.mapSize
    ) async throws(JournalError) -> TouchedKeys {
        try await offThreads(journal) { () throws(JournalError) in
            try beginNow(fullSync, of: table, in: journal, sweeping: sweeping, mapSize: mapSize)
        }
    }

    private static func beginNow(
        _ fullSync: FullSyncID, of table: TableName, in journal: Journal, sweeping: Bool, mapSize: Int
    ) throws(JournalError) -> TouchedKeys {
        try removeNow(of: table, in: journal)
        let folder = folder(fullSync, table, journal)
        let folders = [root(journal), parent(table, journal), folder]
        for folder in folders {
            if let reason = FileSystem.makeFolder(folder) { throw .cannotCreate(path: folder, reason: reason) }
        }
        let begun: TouchedKeys
        do throws(LMDBError) {
            let environment = try open(folder, mapSize: mapSize)
            // In one transaction: nobody finds one of them without the other.
            let (changed, seen) = try environment.write { (transaction) throws(LMDBError) in
                try (transaction.makeTable(changedName), sweeping ? transaction.makeTable(seenName) : nil)
            }
            begun = TouchedKeys(environment, changed, seen: seen, folder, isInline: journal.isInline)
        } catch {
            throw Self.error(error, folder)
        }
        for folder in folders.reversed() + [journal.path] {
            if let reason = FileSystem.syncFolder(folder) { throw .disk(path: folder, reason: reason) }
        }
        return begun
    }

    /// Forgets what was kept of a table, if anything was.
    package static func remove(of table: TableName, in journal: Journal) async throws(JournalError) {
        // Of a large file a file system may take long to let go.
        try await offThreads(journal) { () throws(JournalError) in try removeNow(of: table, in: journal) }
    }

    private static func removeNow(of table: TableName, in journal: Journal) throws(JournalError) {
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

    private init(_ environment: Environment, _ changed: Table, seen: Table?, _ folder: String, isInline: Bool) {
        self.environment = Mutex(environment)
        (self.changed, self.seen, self.folder) = (changed, seen, folder)
        queue = isInline ? nil : DispatchQueue(label: "shake.touched")
    }

    private static func open(_ folder: String, mapSize: Int = mapSize) throws(LMDBError) -> Environment {
        try EnvironmentRegistry.open(folder, mapSize: mapSize, readOnly: false)
    }

    /// Whether the full sync ends with a sweep.
    package var isSweeping: Bool { seen != nil }

    /// Takes note of what the stream changes and the scan brings, durable when this returns, and says which rows nothing has
    /// touched and which keys of the target are gone at the source.
    ///
    /// It is made in transactions of a bounded size. A kill between two of them leaves some keys noted whose changes and rows the
    /// target has not: the changes are read again, and so is the page of the rows; where a row is gone by then, its removal
    /// is behind the scan's beginning, so that the stream brings it.
    ///
    /// - Parameter steps: in the order in which the target is given them.
    /// - Returns: for each `rows`, in order: whether each of its keys is untouched; and for each `sweep`, whether each of its keys
    ///   is neither touched nor seen.
    package func pass(_ steps: [Step]) async throws(JournalError) -> [[Bool]] {
        guard let queue else { return try passNow(steps) }
        return try await Self.on(queue) { () throws(JournalError) in try self.passNow(steps) }
    }

    /// The full sync is at its end: whoever still has this holds no disk by it. Nothing is taken note of any more, and no row
    /// passes.
    package func close() async {
        let close = { @Sendable [self] in environment.withLock { $0 = nil } }
        guard let queue else { return close() }
        await withCheckedContinuation { continuation in
            queue.async {
                close()
                continuation.resume()
            }
        }
    }

    private static func offThreads<R: Sendable>(
        _ journal: Journal, _ body: @escaping @Sendable () throws(JournalError) -> R
    ) async throws(JournalError) -> R {
        if journal.isInline { return try body() }
        return try await on(DispatchQueue(label: "shake.touched.files"), body)
    }

    /// What waits for the disk must hold none of Swift's threads meanwhile.
    private static func on<R: Sendable>(
        _ queue: DispatchQueue, _ body: @escaping @Sendable () throws(JournalError) -> R
    ) async throws(JournalError) -> R {
        let result: Result<R, JournalError> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { () throws(JournalError) in try body() }) }
        }
        return try result.get()
    }

    /// Some keys of one step.
    private struct Piece {
        let step: Int
        let keys: Range<Int>
    }

    /// A transaction dirties a page for each of its keys at worst, and LMDB takes 131,071 of them (mdb.c, `MDB_IDL_UM_MAX`).
    static let keysAtOnce = 8192

    /// The steps in order, cut so that no group of pieces has more keys than go into one transaction.
    private static func pieces(_ steps: [Step]) -> [[Piece]] {
        var groups: [[Piece]] = [[]]
        var room = keysAtOnce
        for (step, keys) in steps.map(\.keys.count).enumerated() {
            var next = 0
            while next < keys {
                if room == 0 {
                    groups.append([])
                    room = keysAtOnce
                }
                let end = min(keys, next + room)
                groups[groups.count - 1].append(Piece(step: step, keys: next..<end))
                room -= end - next
                next = end
            }
        }
        return groups
    }

    private func passNow(_ steps: [Step]) throws(JournalError) -> [[Bool]] {
        var verdicts: [[Bool]] = steps.map { _ in [] }
        if let environment = environment.withLock({ $0 }) {
            for pieces in Self.pieces(steps) where !pieces.isEmpty {
                for (piece, found) in zip(pieces, try passNow(pieces, of: steps, environment)) {
                    verdicts[piece.step] += found
                }
            }
        } else {
            verdicts = steps.map { $0.keys.map { _ in false } }
        }
        return zip(steps, verdicts).compactMap { step, found in
            switch step {
            case .changes: nil
            case .rows, .sweep: found
            }
        }
    }

    private func passNow(
        _ pieces: [Piece], of steps: [Step], _ environment: Environment
    ) throws(JournalError) -> [[Bool]] {
        while true {
            do throws(LMDBError) {
                return try environment.write { (transaction) throws(LMDBError) in
                    var verdicts: [[Bool]] = []
                    for piece in pieces { verdicts.append(try pass(steps[piece.step], piece.keys, &transaction)) }
                    return verdicts
                }
            } catch {
                guard error.isMapFull else { throw Self.error(error, folder) }
                let size = environment.mapSize
                do throws(LMDBError) { try environment.grow(to: size * 2) } catch {
                    throw .mapFull(path: folder, bytes: size)
                }
            }
        }
    }

    private func pass(
        _ step: Step, _ range: Range<Int>, _ transaction: inout WriteTransaction
    ) throws(LMDBError) -> [Bool] {
        var verdicts: [Bool] = []
        // What is there already dirties no page, and a transaction without one costs no disk.
        switch step {
        case .changes(let keys):
            for key in keys[range] where try !holds(key, changed, transaction) {
                try transaction.put([], for: key.bytes, in: changed)
            }
        case .rows(let keys):
            verdicts.reserveCapacity(range.count)
            for key in keys[range] {
                let isUntouched = try !holds(key, changed, transaction)
                verdicts.append(isUntouched)
                if isUntouched, let seen, try !holds(key, seen, transaction) {
                    try transaction.put([], for: key.bytes, in: seen)
                }
            }
        case .sweep(let keys):
            verdicts.reserveCapacity(range.count)
            for key in keys[range] {
                // Where nobody knows what was seen, nothing is gone.
                guard let seen, try !holds(key, changed, transaction) else {
                    verdicts.append(false)
                    continue
                }
                verdicts.append(try !holds(key, seen, transaction))
            }
        }
        return verdicts
    }

    private func holds(
        _ key: Key, _ table: Table, _ transaction: borrowing WriteTransaction
    ) throws(LMDBError) -> Bool {
        try transaction.value(for: key.bytes, in: table) != nil
    }

    /// Of address space; LMDB takes no disk for it until it is used. It doubles when it is full.
    package static let mapSize = 64 << 30
    private static let changedName = "keys"
    private static let seenName = "seen"

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
