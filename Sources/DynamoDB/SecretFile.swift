internal import Foundation

/// A file that holds one secret and nothing else.
enum SecretFile {
    /// Its text without the line's end. What it holds is in no error.
    ///
    /// - Throws: `.credentials`, or `.notPermitted` for one that may not be read.
    static func read(_ path: String, what: String, setting: String) throws(DynamoDBError) -> String {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            data = try file.read(upToCount: 65_536) ?? Data()
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw .notPermitted("the \(what) in \(path) (\(setting)) may not be read by this user: grant that")
        } catch {
            throw .credentials(
                "can't read the \(what) in \(path) (\(setting)): \(error.localizedDescription): mend it, or unset \(setting)"
            )
        }
        guard let text = String(validating: data, as: UTF8.self)?.trimmed, !text.isEmpty else {
            throw .credentials("\(path) (\(setting)) holds no \(what)")
        }
        return text
    }
}
