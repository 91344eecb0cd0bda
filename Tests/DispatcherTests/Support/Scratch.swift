import Foundation

/// A folder for one test, gone when it ends.
final class Scratch: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/shake-dispatcher-tests-\(UUID().uuidString.prefix(13))"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("no scratch folder: \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
