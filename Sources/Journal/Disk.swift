internal import Glibc
internal import LMDB

/// What a path lies on, found without touching anything.
package struct Disk: Hashable, Sendable {
    /// The path itself, or the nearest folder above it that there is.
    package let place: String
    /// As the kernel calls it, such as `ext4`; a number where this has no name for it.
    package let fileSystem: String
    package let kind: Kind
    /// Whether it is mounted so that nobody can write.
    package let isReadOnly: Bool
    /// Whether this user may write in the place.
    package let mayWrite: Bool
    /// For this user.
    package let freeBytes: UInt64
    package let bytes: UInt64
    package let freeFiles: UInt64

    package enum Kind: Hashable, Sendable {
        case local
        /// Over a network, where LMDB can lose data.
        case network
        /// Gone with the machine's next start.
        case memory
        /// The top of a container, which is gone with it.
        case container
    }

    package init(
        place: String, fileSystem: String, kind: Kind, isReadOnly: Bool = false, mayWrite: Bool = true,
        freeBytes: UInt64, bytes: UInt64, freeFiles: UInt64 = .max
    ) {
        self.place = place
        self.fileSystem = fileSystem
        self.kind = kind
        self.isReadOnly = isReadOnly
        self.mayWrite = mayWrite
        self.freeBytes = freeBytes
        self.bytes = bytes
        self.freeFiles = freeFiles
    }

    /// `nil` where nothing of the path is there, or nobody may look.
    package static func under(_ path: String) -> Disk? {
        var place = path
        var facts = statvfs()
        while unsafe statvfs(place, &facts) != 0 {
            guard errno == ENOENT || errno == ENOTDIR, let above = above(place) else { return nil }
            place = above
        }
        let magic = DataFile.fileSystemMagic(of: place)
        let network = FileSystem.networkName(magic: magic)
        let (name, kind) = network.map { ($0, Kind.network) } ?? local(magic)
        let block = UInt64(facts.f_frsize)
        return Disk(
            place: place, fileSystem: name, kind: kind, isReadOnly: facts.f_flag & UInt(ST_RDONLY) != 0,
            mayWrite: FileSystem.canWrite(place), freeBytes: UInt64(facts.f_bavail) * block,
            bytes: UInt64(facts.f_blocks) * block,
            // Some count no files, and say none of none.
            freeFiles: facts.f_files == 0 ? .max : UInt64(facts.f_favail))
    }

    private static func above(_ path: String) -> String? {
        guard path != "/", path != "." else { return nil }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Numbers from statfs(2) and the kernel's magic.h.
    private static func local(_ magic: UInt32) -> (String, Kind) {
        switch magic {
        case 0xEF53: ("ext4", .local)
        case 0x5846_5342: ("xfs", .local)
        case 0x9123_683E: ("btrfs", .local)
        case 0x2FC1_2FC1: ("zfs", .local)
        case 0xF2F5_2010: ("f2fs", .local)
        case 0x6573_5546: ("fuse", .local)
        case 0x0102_1994: ("tmpfs", .memory)
        case 0x8584_58F6: ("ramfs", .memory)
        case 0x794C_7630: ("overlay", .container)
        default: ("type 0x\(String(magic, radix: 16))", .local)
        }
    }
}

extension Journal {
    /// Whether this user may write to the journal in `path`, which is there.
    package static func mayWrite(to path: String) -> Bool { FileSystem.canWrite(all: path) }

    /// The library that keeps it: `LMDB 0.9.31: (…)`.
    package static var library: String { LMDBVersion.text }
}
