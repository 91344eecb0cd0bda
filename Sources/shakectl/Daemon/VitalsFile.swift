internal import Dispatcher
internal import Foundation
internal import Glibc

/// `vitals.json` in the journal's folder: what the daemon last did. It is of the moment, so it is replaced, and not made durable.
enum VitalsFile {
    static let name = "vitals.json"

    /// A file that can't be written gets old, and that is noticed.
    static func write(_ signs: VitalSigns, _ mode: DaemonConfiguration.Mode, in journal: String) {
        let (path, draft) = ("\(journal)/\(name)", "\(journal)/.\(name)")
        guard let bytes = try? encoded(signs, mode) else { return }
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        Glibc.close(file)
        guard written == bytes.count else { return }
        unsafe rename(draft, path)
    }

    /// Shard by shard: an encoder makes a tree of all it is given, which for thousands of shards would be most of the daemon's
    /// memory.
    static func encoded(_ signs: VitalSigns, _ mode: DaemonConfiguration.Mode) throws -> Data {
        let encoder = JSONEncoder()
        var head = signs
        head.tables = []
        return try splice(signs.tables, as: "tables", into: try encoder.encode(Content(signs: head, mode: mode))) {
            var table = $0
            table.shards = []
            return try splice($0.shards, as: "shards", into: try encoder.encode(table)) { try encoder.encode($0) }
        }
    }

    /// Puts a list where an empty one of that name stands. No text can look like that: a quote in one is escaped.
    private static func splice<Element>(
        _ elements: [Element], as name: String, into object: Data, _ encode: (Element) throws -> Data
    ) throws -> Data {
        guard let place = object.range(of: Data("\"\(name)\":[]".utf8)) else {
            // The file gets old then, and that is noticed.
            throw EncodingError.invalidValue(
                name, .init(codingPath: [], debugDescription: "an empty list is not encoded as one"))
        }
        var bytes = Data(object[..<(place.upperBound - 1)])
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(try encode(element))
        }
        bytes.append(object[(place.upperBound - 1)...])
        return bytes
    }

    /// What an earlier daemon said is no sign of this one.
    static func remove(from journal: String) { unsafe unlink("\(journal)/\(name)") }

    /// What is in the file: the signs, and besides them what the daemon was told to do.
    private struct Content: Encodable {
        let signs: VitalSigns
        let mode: DaemonConfiguration.Mode

        func encode(to encoder: any Encoder) throws {
            try signs.encode(to: encoder)
            try Mode(mode: mode.rawValue).encode(to: encoder)
        }
    }

    private struct Mode: Codable {
        let mode: String
    }

    /// In which mode the daemon of the journal runs, or the last one ran; `nil` where that can't be told.
    static func mode(in journal: String) -> DaemonConfiguration.Mode? {
        guard case .bytes(let bytes) = content(of: journal) else { return nil }
        return (try? JSONDecoder().decode(Mode.self, from: bytes)).flatMap {
            DaemonConfiguration.Mode(rawValue: $0.mode)
        }
    }

    enum Reading: Hashable, Sendable {
        case signs(VitalSigns)
        /// Why there are none, or none that this version knows.
        case unreadable(String)
    }

    /// Far more than the signs of a thousand tables.
    private static let longest = 64 << 20

    static func read(from journal: String) -> Reading {
        switch content(of: journal) {
        case .unreadable(let why): return .unreadable(why)
        case .bytes(let bytes):
            guard let signs = try? JSONDecoder().decode(VitalSigns.self, from: bytes) else {
                return .unreadable("it does not hold what a daemon of this version writes")
            }
            return .signs(signs)
        }
    }

    private enum Bytes {
        case bytes(Data)
        case unreadable(String)
    }

    private static func content(of journal: String) -> Bytes {
        // A pipe in its place must not hold up whoever only wants to know.
        let file = unsafe open("\(journal)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return .unreadable(reason()) }
        defer { Glibc.close(file) }
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < longest {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { return .unreadable(reason()) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        return .bytes(bytes)
    }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
