internal import Glibc

/// What the system says of a process.
enum ProcessName {
    /// Its name, and that it was stopped where it was: `shakectl, stopped`. Never its arguments, which may hold anything.
    static func of(_ pid: Int32) -> String {
        guard let stat = text("/proc/\(pid)/stat"), let open = stat.firstIndex(of: "("),
            let close = stat.lastIndex(of: ")"), open < close
        else { return "gone, or of another container" }
        let name = stat[stat.index(after: open)..<close]
        let state = stat[stat.index(after: close)...].drop { $0 == " " }.first
        return state == "T" || state == "t" ? "\(name), stopped" : String(name)
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
