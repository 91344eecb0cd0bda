internal import Dispatcher
internal import Journal

/// What is said of the machine.
extension Diagnosis {
    /// Less than that is gone within minutes.
    private static let leastFree: UInt64 = 64 << 20
    /// What a busy journal may take within two days, and LMDB for its copies of pages.
    private static let littleFree: UInt64 = 1 << 30
    private static let fewFiles: UInt64 = 100

    /// - Parameters:
    ///   - what: for which the disk is looked at.
    ///   - holdsJournal: LMDB's conditions hold for it.
    static func disk(_ disk: Disk?, of path: String, for what: String, holdsJournal: Bool) -> Diagnosis {
        guard let disk else {
            return problem(
                "disk", "\(what) \(path): it can't be looked at, nor any folder above it",
                do: "let this user enter the folders above it, or run as their owner", exitCode: 77)
        }
        let free = "\(Spoken.size(disk.freeBytes)) free of \(Spoken.size(disk.bytes)) (\(disk.fileSystem))"
        let detail = "\(what) \(path): \(free)"
        if disk.kind == .network, holdsJournal {
            return problem(
                "disk", "\(detail), over a network, where LMDB can lose data", do: "keep the journal on a local disk",
                exitCode: 78)
        }
        if disk.isReadOnly {
            return problem(
                "disk", "\(detail), which is mounted read-only", do: "mount it writable, or name another place",
                exitCode: 77)
        }
        if disk.freeBytes < leastFree {
            return problem("disk", detail, do: "free some space: a write that finds none ends the daemon", exitCode: 74)
        }
        if disk.freeFiles < fewFiles {
            return problem(
                "disk", "\(detail), and room for \(disk.freeFiles) more files", do: "free some inodes", exitCode: 74)
        }
        switch disk.kind {
        case .memory:
            return warning(
                "disk", "\(detail), which is memory and gone with the next start of the machine",
                do: "keep it on a disk")
        case .container:
            return warning(
                "disk", "\(detail), which in a container is gone with it",
                do: "in a container, keep it on a volume; else all is well")
        case .network, .local: break
        }
        if disk.freeBytes < littleFree {
            return warning("disk", detail, do: "free some space before the journal and the target need it")
        }
        return ok("disk", detail)
    }

    /// A place that is to be written to and may not be there yet.
    static func writable(_ disk: Disk?, _ path: String, isThere: Bool, mayWrite: Bool, as check: String) -> Diagnosis? {
        guard let disk, !disk.isReadOnly else { return nil }  // said of the disk
        if isThere, !mayWrite {
            return problem(
                check, "\(path) may not be written by this user",
                do: "run as its owner, or have its owner grant the rights", exitCode: 77)
        }
        if !isThere, !disk.mayWrite {
            return problem(
                check, "\(path) is not there, and this user may not make it in \(disk.place)",
                do: "make it for this user, or name another place", exitCode: 73)
        }
        return nil
    }

    /// How many files and connections a daemon has open at once, some tens of them for itself.
    private static let fewestOpenFiles: UInt64 = 256
    private static let openFiles: UInt64 = 1024

    static func limits(_ limits: ProcessLimits) -> Diagnosis {
        if let bytes = limits.addressSpace, bytes < UInt64(Journal.mapSize) {
            return problem(
                "limits",
                "a process may have \(Spoken.size(bytes)) of addresses, and the journal maps \(Spoken.size(UInt64(Journal.mapSize)))",
                do: "lift the limit (ulimit -v unlimited; systemd: LimitAS=infinity): what is mapped takes no memory",
                exitCode: 74)
        }
        let files = limits.openFiles.map { "\(Spoken.count($0)) open files" } ?? "any number of open files"
        let longest = limits.fileSize.map { ", files of up to \(Spoken.size($0))" } ?? ""
        let advice = "raise it (ulimit -n 4096; systemd: LimitNOFILE=4096)"
        if let count = limits.openFiles, count < fewestOpenFiles {
            return problem("limits", "\(files) are fewer than connections and files need", do: advice, exitCode: 78)
        }
        if limits.fileSize != nil {
            return warning(
                "limits", files + longest,
                do: "lift the limit on files (ulimit -f unlimited): at its end the journal is a full disk")
        }
        if let count = limits.openFiles, count < openFiles {
            return warning("limits", "\(files) may be too few for many shards and targets", do: advice)
        }
        return ok("limits", files)
    }

    /// - Parameter needsTLS: whether the source is asked over TLS.
    static func libraries(curl: String, knowsTLS: Bool, needsTLS: Bool, lmdb: String) -> Diagnosis {
        let detail = "\(curl); \(lmdb)"
        guard knowsTLS || !needsTLS else {
            return problem(
                "libraries", "\(detail): libcurl was made without TLS", do: "install a libcurl with TLS", exitCode: 78)
        }
        return ok("libraries", detail)
    }

    /// Signatures are good for five minutes to both sides; ages that are shown are off by as much as the clock is.
    static func clock(_ lead: Duration?) -> Diagnosis {
        guard let lead else { return ok("clock", "the endpoint says no time to compare this machine's with") }
        let off = lead < .zero ? .zero - lead : lead
        let detail =
            off < .seconds(2)
            ? "as the service's"
            : "this machine's clock is \(Spoken.duration(off)) \(lead < .zero ? "ahead of" : "behind") the service's"
        if off <= .seconds(5) { return ok("clock", detail) }
        let advice = "set the clock by NTP (timedatectl set-ntp true; chronyc tracking)"
        guard off >= .seconds(300) else {
            return warning("clock", "\(detail): lag and ages are off by that", do: advice)
        }
        return problem(
            "clock",
            "\(detail): what is signed by it is refused; the daemon goes by the service's then, but lag and ages are off",
            do: advice, exitCode: 78)
    }
}
