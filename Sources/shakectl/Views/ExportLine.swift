internal import Foundation
internal import Journal

/// The first line of an export: what it is, and how far it goes, so that one that was cut off is told from a whole one.
struct ExportHead: Hashable, Sendable, Codable {
    /// Of the lines' own form.
    static let version = 1

    let version: Int
    /// Of the journal.
    let format: String
    let lastPosition: UInt64
    let foldedTo: UInt64
    let historyFoldedTo: UInt64

    enum CodingKeys: String, CodingKey {
        case version = "shake_export"
        case format
        case lastPosition = "last_position"
        case foldedTo = "folded_to"
        case historyFoldedTo = "history_folded_to"
    }

    init(_ export: LogExport) {
        version = Self.version
        format = Journal.format
        lastPosition = export.last.number
        foldedTo = export.foldedTo.number
        historyFoldedTo = export.historyFoldedTo.number
    }

    var json: JSON {
        [
            "shake_export": .integer(Int64(version)), "format": .string(format),
            "last_position": .unsigned(lastPosition), "folded_to": .unsigned(foldedTo),
            "history_folded_to": .unsigned(historyFoldedTo),
        ]
    }

    /// - Throws: `Problem`.
    static func read(_ line: [UInt8]) throws(ExportLine.Problem) -> ExportHead {
        guard let head = try? JSONDecoder().decode(ExportHead.self, from: Data(line)) else {
            throw ExportLine.Problem(
                text: "it does not begin an export of a journal ({\"shake_export\":…}): `shakectl export` writes one")
        }
        guard head.version == Self.version, head.format == Journal.format else {
            throw ExportLine.Problem(
                text:
                    "the export is of version \(head.version) and the journal's format \(head.format), and this shakectl "
                    + "knows \(Self.version) and \(Journal.format): use the version that wrote it, or a newer one")
        }
        return head
    }
}

/// One entry of the log, as a line of an export.
struct ExportLine: Sendable {
    /// Why a line is none that can be imported.
    struct Problem: Error, Hashable { let text: String }

    let entry: ExportedEntry

    init(_ entry: ExportedEntry) { self.entry = entry }

    /// As `tail` shows it, then the bytes.
    var json: JSON {
        var members: [JSON.Member] = []
        if entry.isFolded {
            members = [
                .init("position", .unsigned(entry.first.number)), .init("last_position", .unsigned(entry.last.number)),
                .init("event", .string("folded")), .init("runs", .array(entry.events.map { EventView($0).json })),
            ]
        } else if let event = entry.events.first, case .object(let own) = EventView(event).json {
            members = own
        }
        members += [
            .init("hash", .string(Self.hexadecimal(entry.hash))),
            .init("encoded", .string(Data(entry.encoded).base64EncodedString())),
        ]
        return .object(members)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] { text += String(digit, radix: 16) }
        }
        return text
    }

    // MARK: - Reading

    /// Adds a line to a journal that is being made.
    ///
    /// What counts are `hash` and `encoded`. What a person reads beside them must say the same: a line in which somebody has
    /// changed that alone would be taken for what it is not.
    ///
    /// - Throws: `Problem`; the journal's own errors.
    static func add(_ line: [UInt8], to rebuild: inout JournalRebuild) throws -> ExportLine {
        let bytes = try bytes(of: line)
        let entry: ExportedEntry
        do throws(JournalError) {
            entry = try rebuild.add(hash: bytes.hash, encoded: bytes.encoded)
        } catch {
            guard case .misfit = error else { throw error }
            throw Problem(text: "\(error)")
        }
        let read = ExportLine(entry)
        // As this version writes it, or by another version or another program's hand.
        guard !Array(read.json.line.utf8).elementsEqual(line) else { return read }
        guard let said = try? JSONDecoder().decode(JSON.self, from: Data(line)) else {
            throw Problem(text: "it is no JSON object")
        }
        if let contradiction = contradiction(said, read.json, in: "") { throw Problem(text: contradiction) }
        return read
    }

    private struct Bytes: Decodable {
        let hash: String
        let encoded: String
    }

    private static func bytes(of line: [UInt8]) throws(Problem) -> (hash: [UInt8], encoded: [UInt8]) {
        let found: Bytes
        do { found = try JSONDecoder().decode(Bytes.self, from: Data(line)) } catch {
            throw Problem(
                text: (try? JSONDecoder().decode(JSON.self, from: Data(line))) == nil
                    ? "it is no JSON object (was the file cut off?)" : "it has no \"hash\" or no \"encoded\"")
        }
        guard let encoded = Data(base64Encoded: found.encoded) else { throw Problem(text: "\"encoded\" is no base64") }
        var hash: [UInt8] = []
        var rest = Substring(found.hash)
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else {
                throw Problem(text: "\"hash\" is no hexadecimal number")
            }
            hash.append(byte)
            rest = rest.dropFirst(2)
        }
        return (hash, [UInt8](encoded))
    }

    /// What is said beside the bytes and is not what they say; what only one of the two has is another version's.
    private static func contradiction(_ said: JSON, _ known: JSON, in place: String) -> String? {
        switch (said, known) {
        case (.object(let said), .object(let known)):
            for member in known {
                guard let other = said.first(where: { $0.name == member.name }) else { continue }
                if let found = contradiction(other.value, member.value, in: "\(place)\(member.name)") { return found }
            }
            return nil
        case (.array(let said), .array(let known)):
            guard said.count == known.count else {
                return "\"\(place)\" has \(said.count) parts, and should have \(known.count)"
            }
            for (index, (said, known)) in zip(said, known).enumerated() {
                if let found = contradiction(said, known, in: "\(place)[\(index)].") { return found }
            }
            return nil
        default:
            guard said.line != known.line else { return nil }
            return
                "\"\(place)\" says \(said.line), and its bytes say \(known.line): what counts are the bytes; export again, "
                + "and change nothing"
        }
    }
}
