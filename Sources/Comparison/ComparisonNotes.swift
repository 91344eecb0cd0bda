internal import Foundation
internal import Glibc
package import StreamModel
package import Targets

/// How far a comparison is, in a file of lines, so that one that was ended goes on where it was.
///
/// A line is appended for each page that was read, each suspect and each that was decided. The position of a page stands behind the
/// page's suspects, so nothing is passed over that was not looked at, and before they are looked at, so nothing is found twice. A torn
/// last line says nothing. When everything was seen, the file goes.
package actor ComparisonNotes {
    /// What two runs must have in common for one to go on with the other's notes.
    package struct Subject: Codable, Hashable, Sendable {
        package var table: String
        package var tableID: String?
        package var target: String
        package var share: Double
        package var segments: Int
        package var filter: String?

        package init(
            table: TableName, id: TableID?, target: String, sample: Sample, segments: Int, filter: String?
        ) {
            self.table = table.text
            tableID = id?.text
            self.target = target
            share = sample.share
            self.segments = segments
            self.filter = filter
        }
    }

    /// What earlier runs have seen.
    package struct Earlier: Sendable {
        package struct Segment: Hashable, Sendable {
            /// The key to go on from, as Scan's LastEvaluatedKey.
            package var after: [UInt8]?
            package var isDone: Bool
        }

        package enum Listed: Hashable, Sendable {
            case nothing
            case after(CanonicalKey)
            case done
        }

        package var counts = ComparisonCounts()
        package var segments: [Int: Segment] = [:]
        package var listed = Listed.nothing
        package var suspects: Set<CanonicalKey> = []
        /// When the first of them began.
        package var begun: Timestamp?

        package init() {}
    }

    /// After this what was seen is too old to go on from.
    private static let lifetime = Duration.seconds(24 * 3600)

    package nonisolated let earlier: Earlier
    private let path: String?
    private var file: FileHandle?

    /// Keeps nothing.
    package init() {
        earlier = Earlier()
        path = nil
    }

    /// - Parameters:
    ///   - path: in a folder that is there.
    ///   - restarts: whether to forget earlier runs.
    /// - Throws: `.notes` where the file can't be read or written; `.underWay` where another process has it open.
    package init(path: String, of subject: Subject, restarts: Bool, now: Timestamp) throws(ComparisonError) {
        self.path = path
        do {
            if !FileManager.default.fileExists(atPath: path),
                !FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            {
                throw ComparisonError.notes("\(path) can't be made: is there room, and may this user write there?")
            }
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            // The kernel lets go of it when the process ends, however it ends.
            guard flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw ComparisonError.underWay(table: subject.table)
            }
            let known = restarts ? nil : try Self.read(file, of: subject, now: now)
            if known == nil { try file.truncate(atOffset: 0) }
            try file.seekToEnd()
            let head = Line(what: .begun, time: now.description, subject: subject)
            // What a torn line holds must not run into the next one.
            try file.write(contentsOf: known == nil ? Self.encoded(head) : Data("\n".utf8))
            self.file = file
            earlier = known ?? Earlier()
        } catch let error as ComparisonError {
            throw error
        } catch {
            throw .notes("\(path): \(error.localizedDescription)")
        }
    }

    // MARK: Lines

    fileprivate struct Line: Codable {
        enum What: String, Codable {
            case begun, read, listed, suspect, equal, moving, found
        }

        var what: What
        var time: String?
        var subject: Subject?
        var segment: Int?
        /// Of a page, or of a list; absent at the end.
        var after: Data?
        var hash: Data?
        var range: Data?
        var items: Int?
        var kind: String?
        var isRepaired: Bool?

        var key: CanonicalKey? { hash.map { CanonicalKey(hash: Array($0), range: range.map { Array($0) }) } }
    }

    private static func encoded(_ line: Line) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(line) + Data("\n".utf8)
    }

    private func append(_ lines: [Line]) throws {
        guard let file, let path else { return }
        do {
            try file.write(contentsOf: lines.map(Self.encoded).reduce(Data(), +))
        } catch {
            throw ComparisonError.notes("\(path) can't be written (\(error.localizedDescription)): is there room?")
        }
    }

    private static func line(_ what: Line.What, _ key: CanonicalKey) -> Line {
        var line = Line(what: what)
        line.hash = Data(key.hash)
        line.range = key.range.map { Data($0) }
        return line
    }

    // MARK: Writing

    /// A page, its suspects before it: they are in the notes before anything is decided of them, and the page is not read again once
    /// something was.
    func read(_ segment: Int, upTo key: [UInt8]?, compared: Int, suspects: [CanonicalKey]) throws {
        var line = Line(what: .read)
        line.segment = segment
        line.after = key.map { Data($0) }
        line.items = compared
        try append(suspects.map { Self.line(.suspect, $0) } + [line])
    }

    func listed(upTo key: CanonicalKey, looked: Int, suspects: [CanonicalKey]) throws {
        var line = Self.line(.listed, key)
        line.items = looked
        try append(suspects.map { Self.line(.suspect, $0) } + [line])
    }

    func listedAll() throws { try append([Line(what: .listed)]) }

    func decided(_ key: CanonicalKey) throws { try append([Self.line(.equal, key)]) }
    func moving(_ key: CanonicalKey) throws { try append([Self.line(.moving, key)]) }

    func found(_ finding: Finding) throws {
        var line = Self.line(.found, finding.key)
        line.kind = finding.difference.kind.rawValue
        line.isRepaired = finding.outcome == .repaired
        try append([line])
    }

    /// Leaves them as they are: who comes next goes on from here.
    package func close() {
        try? file?.close()
        file = nil
    }

    /// Everything was seen.
    func finish() throws {
        guard let path else { return }
        defer { close() }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw ComparisonError.notes("\(path) can't be removed: \(error.localizedDescription)")
        }
    }

    // MARK: Reading

    private static let pieceBytes = 1 << 20

    /// `nil` where there are none of the same subject that are fresh.
    private static func read(_ file: FileHandle, of subject: Subject, now: Timestamp) throws -> Earlier? {
        let decoder = JSONDecoder()
        var earlier: Earlier?
        var rest: [UInt8] = []
        while let piece = try file.read(upToCount: pieceBytes), !piece.isEmpty {
            rest += piece
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                guard start < end, let line = try? decoder.decode(Line.self, from: Data(rest[start..<end])) else {
                    continue
                }
                if line.what == .begun {
                    guard line.subject == subject, let begun = line.time.flatMap({ Timestamp($0) }),
                        now - begun < lifetime
                    else { return nil }
                    earlier = Earlier()
                    earlier?.begun = begun
                } else {
                    earlier?.take(line)
                }
            }
            rest.removeFirst(start)
        }
        return earlier
    }
}

extension ComparisonNotes.Earlier {
    fileprivate mutating func take(_ line: ComparisonNotes.Line) {
        switch line.what {
        case .begun: break
        case .read:
            guard let segment = line.segment else { return }
            segments[segment] = Segment(after: line.after.map { Array($0) }, isDone: line.after == nil)
            counts.compared += UInt64(max(0, line.items ?? 0))
        case .listed:
            listed = line.key.map { .after($0) } ?? .done
            counts.looked += UInt64(max(0, line.items ?? 0))
        case .suspect: if let key = line.key { suspects.insert(key) }
        case .equal: if let key = line.key { suspects.remove(key) }
        case .moving:
            if let key = line.key { suspects.remove(key) }
            counts.moving += 1
        case .found:
            if let key = line.key { suspects.remove(key) }
            switch line.kind.flatMap({ Difference.Kind(rawValue: $0) }) {
            case .missing: counts.missing += 1
            case .extra: counts.extra += 1
            case .different: counts.different += 1
            case nil: return
            }
            if line.isRepaired == true { counts.repaired += 1 }
        }
    }
}
