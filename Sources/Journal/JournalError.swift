package import LMDB
package import StreamModel

/// Why the journal could not do what was asked. Each text says what happened, to which object, and what to do.
package enum JournalError: Error, Equatable, CustomStringConvertible {
    /// Another process appended to the shard meanwhile: fold it again and go on from there.
    case conflict(shard: ShardKey, expected: Revision, found: Revision)
    /// Another full sync of the table is due than the one that the append would have ended.
    case superseded(table: TableName)
    case refused(Refusal)
    case noJournal(path: String)
    case notAJournal(path: String, why: String)
    case newerFormat(path: String, found: String, known: String)
    /// Another daemon holds it; `holder` names host, pid and since when.
    case busy(path: String, holder: String)
    /// It says of another target what is durable there, and this one can't tell what it lacks.
    case otherTarget(path: String, filled: String, asked: String)
    case damaged(path: String, position: Position?, problem: String)
    case cannotCreate(path: String, reason: String)
    case readOnly(path: String, reason: String)
    case unreadable(path: String, reason: String)
    case networkFileSystem(path: String, type: String)
    case mapFull(path: String, bytes: Int)
    /// The disk is full or broken: LMDB says EIO for both at commit.
    case disk(path: String, reason: String)
    case storage(LMDBError)
    case noSuchShard(part: String, known: Int)
    case ambiguousShard(part: String, candidates: [ShardKey])
    case noSuchPosition(Position, last: Position)
    case closed(path: String)
    /// A journal was to be made there, and something is there.
    case exists(path: String, what: String)
    /// What was to be restored is not whole.
    case damagedBackup(path: String, position: Position?, problem: String)
    case noBackup(path: String, why: String)
    /// A copy that was to take its place would lack what was appended while it was written.
    case wentOn(path: String, copied: Position, last: Position)
    /// What is to be read next was folded together with what was read already.
    case foldedMeanwhile(path: String)
    /// An entry of an export can't be the next of a log.
    case misfit(position: Position?, problem: String)

    package var description: String {
        switch self {
        case .conflict(let shard, let expected, let found):
            "journal: shard \(shard) is at revision \(found), not \(expected): it was changed meanwhile; try again"
        case .superseded(let table):
            "journal: another full sync of table \(table) is due than the one that was to be ended"
        case .refused(let refusal): "journal: \(refusal)"
        case .noJournal(let path):
            "journal: there is none at \(path): `shakectl run` makes one; elsewhere, name it with --journal or SHAKE_JOURNAL"
        case .notAJournal(let path, let why):
            "journal: \(path) is not a journal: \(why). Name another folder with --journal; a new one is made in a folder "
                + "that does not exist or is empty"
        case .newerFormat(let path, let found, let known):
            "journal: \(path) has format \(found), and this shakectl knows \(known): use the version that wrote it, or a newer one"
        case .busy(let path, let holder):
            "journal: \(path) is in use by another daemon or command (\(holder)): stop that one first, or give this one a journal of its own"
        case .otherTarget(let path, let filled, let asked):
            "journal: \(path) says what is in \(filled), and \(asked) would lack all of that: name \(filled) again, or give "
                + "\(asked) a journal of its own (--journal), which begins with a full sync"
        case .damaged(let path, let position, let problem):
            "journal: \(path) is damaged\(position.map { " at position \($0)" } ?? ""): \(problem). Nothing was changed. Stop the "
                + "daemon, keep the folder, and restore a backup of it"
        case .cannotCreate(let path, let reason):
            "journal: can't create \(path): \(reason). Its parent folder must exist, and let this user write: make it first, or "
                + "name another place"
        case .readOnly(let path, let reason):
            "journal: can't write to \(path): \(reason). Run as the folder's owner, or on a file system that is mounted writable"
        case .unreadable(let path, let reason):
            "journal: can't read \(path): \(reason). Run as its owner, or have its owner grant the rights"
        case .networkFileSystem(let path, let type):
            "journal: \(path) is on a network file system (\(type)), where LMDB can lose data: use a local disk"
        case .mapFull(let path, let bytes):
            "journal: \(path) has filled its \(bytes >> 20) MiB and can't grow: free address space or disk, then start again; "
                + "nothing that was acknowledged is lost"
        case .disk(let path, let reason):
            "journal: \(path) can't be written: \(reason). Free space on that disk or look at its health; nothing that was "
                + "acknowledged is lost"
        case .storage(let error): "journal: \(error)"
        case .noSuchShard(let part, let known):
            "no shard's id contains “\(part)”: the journal knows \(known); `shakectl shards` lists them"
        case .ambiguousShard(let part, let candidates):
            "“\(part)” names \(candidates.count) shards (\(candidates.prefix(4).map { "\($0)" }.joined(separator: ", "))"
                + "\(candidates.count > 4 ? ", …" : "")): give more of the id, or table/id"
        case .noSuchPosition(let position, let last): "the journal has no position \(position): its last is \(last)"
        case .closed(let path): "journal: \(path) was closed after an error before this; start again"
        case .exists(let path, let what):
            "\(path): there is \(what) already, and nothing is written over it: name a folder that does not exist or is empty, or "
                + "move that one away first (no daemon may run on it then)"
        case .damagedBackup(let path, let position, let problem):
            "\(path) is damaged\(position.map { " at position \($0)" } ?? ""): \(problem). Nothing was restored: take an older "
                + "backup, or begin with a new journal (`shakectl run`), which takes a full sync"
        case .noBackup(let path, let why):
            "\(path): there is no journal to restore: \(why). Name the folder that `shakectl backup` has written"
        case .wentOn(let path, let copied, let last):
            "journal: \(path) went on to position \(last) while it was copied, and the copy ended at \(copied): what a command "
                + "(`rewind`, `ack`, `pause` or the like) said meanwhile would be lost. The copy was removed; say it again once nobody "
                + "appends (`shakectl tail` shows who did)"
        case .foldedMeanwhile(let path):
            "journal: \(path): old events were folded together while they were read, by the daemon or by `compact`: what was "
                + "written so far is no whole export; begin again"
        case .misfit(let position, let problem): "\(position.map { "position \($0): " } ?? "")\(problem)"
        }
    }

    /// DESIGN 6.
    package var exitCode: Int32 {
        switch self {
        case .damaged, .newerFormat, .notAJournal, .refused, .damagedBackup, .misfit: 65
        case .noJournal, .noBackup, .disk, .mapFull, .storage, .closed: 74
        case .cannotCreate, .exists: 73
        case .networkFileSystem, .otherTarget: 78
        case .busy, .conflict, .superseded, .wentOn, .foldedMeanwhile: 75
        case .readOnly, .unreadable: 77
        case .noSuchShard, .ambiguousShard, .noSuchPosition: 64
        }
    }
}

extension JournalError: StorageFailure {
    package init(_ error: LMDBError) { self = .storage(error) }
}
