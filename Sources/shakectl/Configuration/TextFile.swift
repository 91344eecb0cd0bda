internal import Foundation

/// A file that an operator wrote, or a pipe (`--config /dev/stdin`).
enum TextFile {
    /// - Returns: `nil` where there is no such file.
    /// - Throws: `.configuration` where there is one that can't be read.
    static func read(_ path: String) throws(ShakectlError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        // A handle, since `FileManager.contents` reads regular files only.
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw .configuration("\(path): can't be opened; see its permissions")
        }
        let data: Data
        do {
            data = try handle.readToEnd() ?? Data()
        } catch {
            throw .configuration("\(path): can't be read: is it a folder?")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .configuration("\(path): this is not UTF-8 text")
        }
        return text
    }
}
