/// What the system lets a process have; `nil`: as much as it wants.
struct ProcessLimits: Hashable, Sendable {
    var openFiles: UInt64?
    var addressSpace: UInt64?
    var fileSize: UInt64?

    static let file = "/proc/self/limits"

    /// - Parameter text: of `/proc/self/limits`: a name, then the soft and the hard limit (proc(5)).
    init(_ text: String) {
        func soft(_ name: String) -> UInt64? {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            return line?.dropFirst(name.count).split(separator: " ").first.flatMap { UInt64($0) }
        }
        openFiles = soft("Max open files")
        addressSpace = soft("Max address space")
        fileSize = soft("Max file size")
    }
}
