/// Where a service manager listens: what NOTIFY_SOCKET says.
enum NotifyAddress: Equatable, Sendable {
    case path(String)
    /// In no file system: systemd writes an `@` for the zero byte that such a name begins with (unix(7)).
    case abstract(String)

    static let variable = "NOTIFY_SOCKET"

    /// `sun_path` has room for so many bytes.
    private static let room = 108

    /// `nil` for what is neither, such as an address of vsock: whoever gave it hears nothing, and the daemon runs all the same.
    init?(_ text: String) {
        switch text.utf8.first {
        // A path ends with a zero byte.
        case UInt8(ascii: "/") where text.utf8.count < Self.room: self = .path(text)
        case UInt8(ascii: "@") where (2...Self.room).contains(text.utf8.count):
            self = .abstract(String(text.dropFirst()))
        default: return nil
        }
        guard !text.utf8.contains(0) else { return nil }
    }

    /// As they stand in `sun_path`: those of an abstract name are counted, and have no end of their own.
    var bytes: [UInt8] {
        switch self {
        case .path(let path): Array(path.utf8) + [0]
        case .abstract(let name): [0] + Array(name.utf8)
        }
    }
}
