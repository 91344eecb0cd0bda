import Foundation

/// A folder for one test, gone when it ends.
final class Scratch: Sendable {
    /// The last part of its path.
    let name = "shake-dispatcher-tests-\(UUID().uuidString.prefix(13))"
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/" + name
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("no scratch folder: \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
