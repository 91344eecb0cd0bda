internal import Foundation
internal import StreamModel

/// Reads NimoShake's checkpoints of `checkpoint.type = file`.
package enum NimoShakeFolder {
    /// - Throws: `.noFolder`, `.notAFolder`, `.unreadable`, `.nothingThere`, `.brokenLine`, `.brokenStatus`.
    package static func read(_ path: String) throws(NimoShakeError) -> NimoShakeCheckpoints {
        guard FileManager.default.fileExists(atPath: path) else { throw .noFolder(path: path) }
        guard isFolder(path) else { throw .notAFolder(path: path) }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .unreadable(path: path, reason: reason(error))
        }
        var checkpoints = NimoShakeCheckpoints(source: path, status: nil, tables: [])
        for name in names {
            let file = "\(path)/\(name)"
            if name == NimoShakeWords.statusTable {
                guard let status = CheckpointLines.status(try contents(of: file)) else {
                    throw .brokenStatus(path: file)
                }
                checkpoints.status = status
            } else if let why = isNoTable(name, file) {
                checkpoints.skipped.append(NimoShakeCheckpoints.Skipped(name: name, reason: why))
            } else {
                let data = try contents(of: file)
                do throws(CheckpointLines.Broken) {
                    let (rows, isTorn) = try CheckpointLines.read(data)
                    checkpoints.tables.append(
                        NimoShakeCheckpoints.Table(name: TableName(name), rows: rows, isTorn: isTorn))
                } catch {
                    throw .brokenLine(path: file, line: error.line, reason: error.reason)
                }
            }
        }
        guard checkpoints.status != nil || checkpoints.tables.contains(where: { !$0.rows.isEmpty }) else {
            throw .nothingThere(source: path)
        }
        return checkpoints
    }

    private static func isNoTable(_ name: String, _ file: String) -> String? {
        if isFolder(file) { return "it is a folder" }
        return isTableName(name) ? nil : "that is no name of a table"
    }

    private static func isFolder(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path + "/.") }

    /// API Reference, CreateTable; a name that begins with a dot is some other program's.
    static func isTableName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func contents(of file: String) throws(NimoShakeError) -> Data {
        do { return try Data(contentsOf: URL(filePath: file)) } catch {
            throw .unreadable(path: file, reason: reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        return (underlying ?? error).localizedDescription
    }
}
