internal import Foundation

/// A file that an operator wrote.
enum TextFile {
    /// - Returns: `nil` where there is no such file.
    /// - Throws: `.configuration` where there is one that can't be read.
    static func read(_ path: String) throws(ShakectlError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .configuration("\(path): can't be read: it is a folder, or its permissions don't let you")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .configuration("\(path): this is not UTF-8 text")
        }
        return text
    }
}
