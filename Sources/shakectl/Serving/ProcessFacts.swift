internal import Foundation
internal import Glibc
internal import StreamModel
// Where the compiler finds `timespec` depends on what else a module imports, and in which order.
internal import SwiftOverlayShims

/// What this process costs, as the system counts it. `nil`: it doesn't say.
struct ProcessFacts: Hashable, Sendable {
    var processorSeconds: Double?
    var residentBytes: Int?
    var openFiles: Int?
    var mostFiles: Int?

    static func now() -> ProcessFacts {
        var facts = ProcessFacts()
        var time = timespec()
        if unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            facts.processorSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        // proc(5): pages of the program, and of those that are in memory.
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ")
        if let pages, pages.count > 1, let resident = Int(pages[1]) {
            facts.residentBytes = resident * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
        // The one that lists them is among them.
        facts.openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { $0.count - 1 }
        let most = sysconf(Int32(_SC_OPEN_MAX))
        facts.mostFiles = most > 0 ? Int(most) : nil
        return facts
    }
}
