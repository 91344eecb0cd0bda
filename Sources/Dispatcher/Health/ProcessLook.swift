internal import Glibc

/// What the system says of a process.
struct ProcessLook: Hashable, Sendable {
    /// Its name, and that it was stopped where it was: `shakectl, stopped`. Never its arguments, which may hold anything.
    let name: String
    /// By a signal or a debugger, or it has ended and nobody has taken note of it.
    let isStopped: Bool
    /// Of processor time that it has used; `nil` where it can't be seen.
    let ticks: UInt64?

    init(name: String, isStopped: Bool = false, ticks: UInt64?) {
        self.name = name
        self.isStopped = isStopped
        self.ticks = ticks
    }

    /// Looks at one of this machine.
    static func at(_ pid: Int32) -> ProcessLook {
        text("/proc/\(pid)/stat").flatMap { ProcessLook(stat: $0) }
            ?? ProcessLook(name: "out of sight", ticks: nil)
    }

    /// Source: proc_pid_stat(5): pid, name in parentheses, state, and from the fourteenth on user and system time.
    init?(stat: String) {
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else { return nil }
        let name = String(stat[stat.index(after: open)..<close])
        let fields = stat[stat.index(after: close)...].split { $0 == " " || $0 == "\n" }
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
        let isStopped = ["T", "t", "Z", "X"].contains(String(fields[0]))
        self.init(name: isStopped ? "\(name), stopped" : name, isStopped: isStopped, ticks: user &+ system)
    }

    private static func text(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { _ = close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
