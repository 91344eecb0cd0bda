import Dispatch
import Foundation
import Glibc
import LMDB
import Testing

/// What is told of an environment beside its transactions. Each in a process of its own: what it guards against ends that.
@Suite("An environment")
struct EnvironmentTests {
    private let scratch = Scratch()

    private static func open(_ path: String) throws -> Environment {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return try Environment(path: path, Environment.Options(mapSize: 1 << 20))
    }

    @Test("tells how large it is while its map is exchanged, within a transaction too")
    func beside() async throws {
        await #expect(processExitsWith: .success) { [path = scratch.path as String] in
            let environment = try Self.open(path + "/environment")
            DispatchQueue.concurrentPerform(iterations: 4) { lane in
                for round in 1...20_000 {
                    switch lane {
                    case 0: try? environment.grow(to: (round % 2 + 1) << 20)
                    case 1:
                        try? environment.read { (_) throws(LMDBError) in
                            precondition(environment.usedBytes == 8192)
                        }
                    default: precondition(environment.usedBytes == 8192 && environment.mapSize >= 1 << 20)
                    }
                }
            }
        }
    }

    @Test("takes any number for a reader's transaction, as a damaged lock file may have it")
    func anyTransaction() async throws {
        await #expect(processExitsWith: .success) { [path = scratch.path as String] in
            let environment = try Self.open(path + "/environment")
            try environment.read { (_) throws(LMDBError) in
                let file = unsafe Glibc.open(path + "/environment/lock.mdb", O_RDWR)
                // The first slot (mdb.c, MDB_txninfo, MDB_reader): transaction, then pid.
                var slot: (transaction: UInt64, pid: Int32) = (0, 0)
                _ = unsafe pread(file, &slot, 12, 128)
                precondition(slot.pid == getpid(), "a slot is where it is sought")
                var large = UInt64.max - 5
                _ = unsafe pwrite(file, &large, 8, 128)
                let found = try environment.readers().map(\.transaction)
                precondition(found == [Int.max])
                _ = unsafe pwrite(file, &slot, 8, 128)
            }
        }
    }
}
