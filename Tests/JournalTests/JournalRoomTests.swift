import Foundation
import Glibc
import LMDB
import StreamModel
import Testing

@testable import Journal

@Suite("A journal that runs out of room")
struct JournalRoomTests {
    private let scratch = Scratch()

    @Test("A map that fills up again and again under many writers and readers loses nothing")
    func growing() async throws {
        let (writers, rounds) = (8, 25)
        let text = String(repeating: "x", count: 3000)
        try await Journal.use(scratch.journal, mapSize: 64 << 10) { journal in
            for shard in 1...writers { try await journal.add(shard, [.discovered()] + Payload.takenUp) }
            let size = journal.store.environment.mapSize
            try await withThrowingTaskGroup { group in
                for shard in 1...writers {
                    group.addTask { @concurrent in
                        for round in 1...rounds {
                            let stands = try await journal.add(shard, .faulted(text), .advanced(round))
                            // What was acknowledged is read at once, whatever the map does meanwhile.
                            #expect(try journal.checkpoint(of: Sample.key(shard)) == stands)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(journal.store.environment.mapSize >= 4 * size)
            #expect(try await journal.foreignAppends() == [])
            _ = try journal.verified()
        }
        try await Journal.use(scratch.journal, mapSize: 64 << 10) { journal async throws in
            #expect(
                try journal.checkpoints().map(\.sequenceNumber)
                    == .init(repeating: Sample.number(rounds), count: writers))
            let faults = try journal.everything().filter { $0.payload == .faulted(text) }
            #expect(faults.count == writers * rounds)
            _ = try journal.verified()
        }
    }

    /// What this process has of addresses, in bytes, and how many it may have.
    private static func limitAddresses(to more: Int?) throws {
        let pages = try #require(Int(File.text("/proc/self/statm").split(separator: " ").first ?? ""))
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        limit.rlim_cur = more.map { rlim_t(pages * 4096 + $0) } ?? limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    }

    @Test("A map that can't grow refuses the append, is read as before, and grows once there is room")
    func noAddresses() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            let text = String(repeating: "x", count: 4_000_000)
            try await Journal.use(scratch.journal, mapSize: 32 << 20) { journal in
                try await journal.follow(1, upTo: 5)
                try JournalRoomTests.limitAddresses(to: 24 << 20)
                var acknowledged = 0
                var refused: JournalError?
                while refused == nil, acknowledged < 20 {
                    refused = await JournalTests.failure { () async throws(JournalError) in
                        try await journal.append([Draft(table: Sample.table, [.faulted(text)])])
                    }
                    if refused == nil { acknowledged += 1 }
                }
                #expect(refused == .mapFull(path: scratch.journal, bytes: 32 << 20))
                #expect(refused?.exitCode == 74)
                #expect(acknowledged > 3)
                #expect(try journal.checkpoint(of: Sample.key(1))?.sequenceNumber == Sample.number(5))
                #expect(try journal.everything().count == 6 + acknowledged)
                #expect(try await journal.foreignAppends() == [])
                try JournalRoomTests.limitAddresses(to: nil)
                _ = try await journal.append([Draft(table: Sample.table, [.faulted(text)])])
                #expect(journal.store.environment.mapSize == 64 << 20)
                #expect(try journal.everything().count == 7 + acknowledged)
                _ = try journal.verified()
            }
        }
    }

    @Test("A map that another process made too large for this one is said so, and not taken for damage")
    func noAddressesForTheirs() async throws {
        let (path, grown) = (scratch.journal, scratch.path + "/grown")
        try await Journal.use(path) { try await $0.follow(1, upTo: 5) }
        try scratch.copy(path, to: grown)
        try await Journal.use(grown, .steward(Sample.steward)) { steward in
            let text = String(repeating: "x", count: 4_000_000)
            for _ in 1...10 { _ = try await steward.append([Draft(table: Sample.table, [.faulted(text)])]) }
        }
        await #expect(processExitsWith: .success) { [path = path as String, grown = grown as String] in
            try await Journal.use(path, mapSize: 32 << 20) { journal in
                // What a steward would have made of the file meanwhile.
                try File.write(try File.bytes(grown + "/data.mdb"), to: path + "/data.mdb")
                try JournalRoomTests.limitAddresses(to: 8 << 20)
                for _ in 1...2 {
                    let error = JournalTests.failure { () throws(JournalError) in try journal.checkpoints() }
                    #expect(error?.exitCode == 74, "\(String(describing: error))")
                    let refused = await JournalTests.failure { () async throws(JournalError) in
                        try await journal.append([Draft(table: Sample.table, [.faulted()])])
                    }
                    #expect(refused?.exitCode == 74, "\(String(describing: refused))")
                }
            }
        }
        #expect(try File.bytes(path + "/data.mdb") == File.bytes(grown + "/data.mdb"))
        try await Journal.use(path) { _ = try $0.verified() }
    }

    enum Question: CaseIterable, Codable, Sendable { case position, everything, news, append }

    @Test(
        "A file that is cut beneath an open journal ends the process with status 65, and not by a signal",
        arguments: [0, 4096, 20_000], Question.allCases)
    func cut(size: Int, question: Question) async throws {
        let path = scratch.journal
        await #expect(processExitsWith: .exitCode(65)) {
            [path = path as String, size = size as Int, question = question as Question] in
            try await Journal.use(path) { journal in
                for shard in 1...40 { try await journal.follow(shard, upTo: 5) }
                _ = unsafe truncate(path + "/data.mdb", off_t(size))
                let error = await JournalTests.failure { () async throws(JournalError) in
                    switch question {
                    case .position: _ = try journal.lastPosition()
                    case .everything: _ = try journal.everything()
                    case .news: _ = try await journal.foreignAppends()
                    case .append: _ = try await journal.append([Draft(table: Sample.table, [.faulted()])])
                    }
                    _ = try journal.everything()
                }
                exit(error?.exitCode ?? 1)
            }
        }
        guard question == .append else { return }
        // And what is left is not taken for a journal.
        await #expect(processExitsWith: .exitCode(65)) { [path = path as String] in
            let error = JournalTests.failure { () throws(JournalError) in try Journal.open(path, .daemon(Sample.daemon))
            }
            exit(error?.exitCode ?? 1)
        }
    }
}
