internal import Foundation
internal import Glibc

/// Who we are, for the journal.
enum Host {
    static let pid = getpid()

    /// As `hostname` says it; asks no name server.
    static let name: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    static var userAndHost: String {
        let environment = ProcessInfo.processInfo.environment
        return "\(environment["USER"] ?? environment["LOGNAME"] ?? "uid \(getuid())")@\(name)"
    }
}
