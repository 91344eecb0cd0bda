internal import Glibc
internal import Simdjson
package import StreamModel

/// `jsonl:PATH`: one line for each change, in order, never collapsed, and each exactly once.
///
/// A `write` appends all its lines and makes them durable with one fdatasync; the journal then keeps the offset after
/// each batch. What a crash leaves behind the furthest of them is cut off at the next start, and delivered again.
package actor JSONLinesTarget: Target {
    package nonisolated let name: String
    package nonisolated let storesPositions = false
    package nonisolated var localPath: String? { path.text }

    private let path: TargetPath
    private let existing: ExistingPolicy
    private let executor = BlockingExecutor(label: "shake.jsonl")
    private var file: AppendFile?
    private var lines = LineBuffer()
    private var marker: UnjournaledMarker

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(path: TargetPath, existing: ExistingPolicy = .refuse) {
        self.path = path
        self.existing = existing
        name = "jsonl:\(path)"
        marker = UnjournaledMarker(path)
    }

    // MARK: Opening

    /// A file that was moved is known by the lines before the last token.
    package nonisolated func takesOver(from earlier: String) -> Bool { earlier.hasPrefix("jsonl:/") }

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        do {
            try path.createIfMissing()
            var file = try AppendFile(path)
            // Tokens in other words are those of a target that the journal had before this one.
            if let token = tokens.compactMap(FileToken.init).max() {
                try recover(file, to: token)
                try marker.remove()
            } else {
                if file.durableEnd > 0, marker.base == nil, existing == .rename {
                    try path.moveAway()
                    try path.createIfMissing()
                    file = try AppendFile(path)
                }
                try begin(file)
            }
            self.file = file
        } catch {
            throw translated(error)
        }
    }

    private func recover(_ file: AppendFile, to token: FileToken) throws {
        guard file.durableEnd >= token.offset else {
            throw refused(
                "the file is shorter (\(file.durableEnd) bytes) than what the journal holds as written"
                    + " (\(token.offset)): it was truncated or replaced. \(Self.wayOut)")
        }
        guard token.fits(try file.read(token.count, upTo: token.offset)) else {
            throw refused(
                "the lines before byte \(token.offset) are not those that the journal knows: the file was replaced or"
                    + " edited. \(Self.wayOut)")
        }
        let ahead = file.durableEnd - token.offset
        guard ahead > 0 else { return }
        guard ahead <= Self.mostAhead else {
            throw refused(
                "the file holds \(ahead) bytes more than the journal knows, where a crash leaves \(Self.mostAhead) at"
                    + " most: the journal is an older copy. Put the newer one back; or, if the stream still holds what"
                    + " those lines say (24 hours), move the file away, leave its first \(token.offset) bytes under"
                    + " its name (head -c \(token.offset)), and start again")
        }
        try file.cutBack(to: token.offset)
    }

    /// Bytes that a crash can leave behind the last journaled offset: the lines of one `write`, with the largest pages that
    /// are read. More than that nobody but an operator takes away.
    static let mostAhead = 256 << 20

    private static let wayOut =
        "Put the file back as it was; or begin again with a new journal and a new path"

    /// The journal knows no offset of this file: it begins here, unless it died here before its first append.
    private func begin(_ file: AppendFile) throws {
        if let base = marker.base {
            try file.cutBack(to: min(base, file.durableEnd))
        } else if file.durableEnd > 0 {
            switch existing {
            case .refuse:
                throw refused(
                    "the file holds \(file.durableEnd) bytes that this journal knows nothing of. Go on with the journal that it was written"
                        + " with, or name another path; or say what becomes of it: --existing append adds to the file, replace"
                        + " empties it first, rename keeps it under another name")
            case .append, .rename: break
            case .replace: try file.cutBack(to: 0)
            }
        }
        try marker.create(at: file.durableEnd)
    }

    // MARK: Writing

    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        let length = FileIdentity.length(of: path.text)
        return Place(
            object: "the file", contents: length.map { $0 > 0 ? .filled : .empty } ?? .missing, isShared: true)
    }

    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    package func prepare(_ table: TableSchema) async throws(TargetError) {}

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }

    /// What was appended stays: a reader of the lines has to find out by itself.
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? { nil }

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        guard let file else { throw .unavailable(target: name, reason: "it isn't open") }
        do {
            try file.check()
            let start = file.durableEnd
            var tokens: [TargetToken?] = []
            lines.begin()
            for batch in batches {
                try lines.append(batch, target: name) { (bytes) throws(AppendFile.Failure) in try file.append(bytes) }
                tokens.append(FileToken(offset: start + lines.count, tail: lines.tail).token)
            }
            try lines.flush { (bytes) throws(AppendFile.Failure) in try file.append(bytes) }
            try file.synchronise()
            marker.wrote(batches)
            return tokens
        } catch {
            // Best now, and else before the next write: until then nothing follows the torn line.
            try? file.check()
            throw translated(error)
        }
    }

    package func close() async {
        marker.closing()
        file = nil
        lines = LineBuffer()
    }

    // MARK: Errors

    private func refused(_ reason: String) -> TargetError { .misconfigured(target: name, reason: reason) }

    private nonisolated func translated(_ error: any Error) -> TargetError {
        switch error {
        case let error as TargetError: error
        case let error as SystemError: TargetError(error, target: name)
        case AppendFile.Failure.system(let error): TargetError(error, target: name)
        case AppendFile.Failure.held:
            .misconfigured(
                target: name, reason: "another process writes to the file: stop it, or name another path")
        case AppendFile.Failure.moved:
            .misconfigured(
                target: name,
                reason: "the file was removed or replaced while it was open (rotated?): put it back, then start again")
        case AppendFile.Failure.resized(let expected, let found):
            .misconfigured(
                target: name,
                reason:
                    "another program changed the file: it has \(found) bytes instead of \(expected). Keep others from"
                    + " writing to it or truncating it, and start again")
        default: .unavailable(target: name, reason: "\(error)")
        }
    }
}
