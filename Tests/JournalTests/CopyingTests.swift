import Foundation
import Glibc
import LMDB
import StreamModel
import Synchronization
import Testing

@testable import Journal

@Suite("Backing up and restoring")
struct CopyingTests {
    private let scratch = Scratch()
    private static let run = RunStarted(role: "backup", version: "0.1", host: "here", pid: 9)

    private var copy: String { scratch.path + "/copy" }

    private func files(_ path: String) -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
    }

    @Test("A copy that is made beside appends is the journal as it was at one moment, whole")
    func beside() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 1)
            let stop = Mutex(false)
            let appending = Task {
                var number = 1
                while !stop.withLock({ $0 }) {
                    number += 1
                    try await journal.add(1, .advanced(number))
                }
                return number
            }
            var lasts: [Position] = []
            for copy in 1...5 {
                let reader = try Journal.open(scratch.journal, .reader)
                let report = try reader.copy(to: "\(self.copy)\(copy)", by: Self.run)
                lasts.append(report.verified.lastPosition)
            }
            stop.withLock { $0 = true }
            _ = try await appending.value
            let all = try journal.everything()
            for (index, last) in lasts.enumerated() {
                let copied = try Journal.open("\(copy)\(index + 1)", .reader)
                #expect(try copied.everything().elementsEqual(all.prefix { $0.position <= last }))
                #expect(try copied.checkpoint(of: Sample.key(1))?.position == last)
            }
            #expect(lasts == lasts.sorted())
        }
    }

    @Test("A copy has the journal's modes, is small, and is a journal that a daemon goes on with")
    func goneOnWith() async throws {
        let clock = Ticking()
        try await Journal.fillAndFold(scratch.journal, clock)
        let journal = try Journal.open(scratch.journal, .reader)
        let report = try journal.copy(to: copy, by: Self.run)
        #expect(try File.mode(copy) == 0o700)
        #expect(files(copy) == ["data.mdb", "daemon.lock"])
        for file in files(copy) { #expect(try File.mode("\(copy)/\(file)") == 0o600) }
        #expect(report.bytes < UInt64(journal.store.environment.usedBytes), "free pages are left out")
        #expect(try Journal.open(copy, .reader).exported() == journal.exported())
        let before = try journal.exported()
        try await Journal.use(copy, clock) { copied in
            for checkpoint in try copied.checkpoints() {
                _ = try await copied.append([
                    Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.faulted()])
                ])
            }
            #expect(try copied.exported().starts(with: before))
            #expect(
                try copied.verified().lastPosition.number == journal.lastPosition().number + 13, "a start and 12 events"
            )
        }
    }

    @Test("Who keeps daemons away is no daemon, says so to whoever asks and to those it refuses, and to nobody once it is over")
    func keptAway() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        let journal = try Journal.open(scratch.journal, .reader)
        #expect(journal.holder() == nil)
        // Of another length than the word that it goes over, so that nothing of that may be left.
        let run = RunStarted(role: "compact", version: "0.1", host: "h", pid: 9)
        try await journal.withoutDaemon(by: run) { () async throws(JournalError) in
            #expect(journal.holder()?.role == .copying)
            #expect(journal.holder()?.words.hasPrefix("host h, pid 9, since 20") == true)
            #expect(journal.daemon() == nil)
            let error = await failure { () async throws(JournalError) in
                try Journal.open(scratch.journal, .daemon(Sample.daemon))
            }
            #expect(error?.description.contains("(`compact --copy`: host h, pid 9, since 20") == true)
        }
        #expect(journal.holder() == nil)
        // Also of one that was killed the word is left; a daemon that begins has yet to say its own.
        do {
            let lock = try DaemonLock(scratch.journal)
            #expect(journal.holder()?.role == .daemon && journal.daemon() != nil)
            withExtendedLifetime(lock) {}
        }
        try await Journal.use(scratch.journal) { _ in
            #expect(journal.holder()?.words.hasPrefix("host here, pid 7, since 20") == true)
        }
        #expect(File.text(scratch.journal + "/daemon.lock").count { $0 == "\n" } == 1)
    }

    @Test("Nothing is written over: a journal, another folder and a file are refused, and stay as they are")
    func exists() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        let journal = try Journal.open(scratch.journal, .reader)
        let before = try journal.exported()
        #expect(
            failure { () throws(JournalError) in try journal.copy(to: scratch.journal, by: Self.run) }?.exitCode == 73)
        #expect(try journal.exported() == before)
        for path in [scratch.path, scratch.journal + "/data.mdb"] {
            guard case .exists? = failure({ () throws(JournalError) in try journal.copy(to: path, by: Self.run) })
            else {
                Issue.record("\(path) was written over")
                continue
            }
        }
        // An empty folder is as good as none, and so is a path that ends in a slash.
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        _ = try journal.copy(to: copy + "/", by: Self.run)
        #expect(!FileManager.default.fileExists(atPath: copy + ".incomplete"))
    }

    @Test("What a killed backup has left is no journal, and is removed by the next one; two at once don't mix")
    func killed() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        let journal = try Journal.open(scratch.journal, .reader)
        let draft = try JournalDraft(copy)
        try File.write([1, 2, 3], to: draft.path + "/data.mdb")
        guard case .busy? = failure({ () throws(JournalError) in try journal.copy(to: copy, by: Self.run) }) else {
            Issue.record("two commands wrote one folder")
            return
        }
        #expect(files(draft.path).sorted() == ["data.mdb", "incomplete"], "the other one's file stays")
        #expect(files(copy) == [])
        withExtendedLifetime(draft) {}
    }

    @Test("Who holds a folder that has lost its name meanwhile holds nothing: two commands never write one")
    func lostName() throws {
        let other = Mutex<JournalDraft?>(nil)
        let error = failure { () throws(JournalError) in
            _ = try JournalDraft(copy) { [copy] in
                guard other.withLock({ $0 == nil }) else { return }
                // Whoever held it has done with it, and the next one makes it anew.
                _ = unsafe rmdir(copy + ".incomplete")
                let draft = try? JournalDraft(copy)
                other.withLock { $0 = draft }
            }
        }
        guard case .busy? = error else {
            Issue.record("two commands hold one folder: \(String(describing: error))")
            return
        }
        #expect(files(copy + ".incomplete") == ["incomplete"])
    }

    @Test("Of a journal that was cut the first position is named that is gone, wherever it was cut, and a backup of it is refused with that")
    func cut() async throws {
        try await Journal.use(scratch.journal) { journal in
            for number in 1...30 as ClosedRange<Int> { try await journal.follow(number, upTo: 20) }
        }
        let data = scratch.journal + "/data.mdb"
        let bytes = try File.bytes(data)
        let pages = bytes.count / 4096
        let last = try #require(try Journal.open(scratch.journal, .reader).exported().last?.last)
        var reached: [UInt64] = []
        for count in 2...pages {
            try File.write(Array(bytes.prefix(count * 4096)), to: scratch.path + "/cut.mdb")
            switch try LogReach.look(scratch.path + "/cut.mdb", table: Schema.logName) {
            case .cut(let after, _): reached.append(after)
            case .notCut: reached.append(last.number)
            }
        }
        #expect(reached == reached.sorted() && reached.last == last.number)
        #expect(reached.contains { $0 > 0 && $0 < last.number }, "some of it is left in between")

        let half = try #require(reached.firstIndex { $0 > 0 })
        try File.write(Array(bytes.prefix((half + 2) * 4096)), to: data)
        let error = failure { () throws(JournalError) in
            try Journal.restore(scratch.journal, to: scratch.path + "/place", by: Self.run)
        }
        guard case .damagedBackup(_, let position?, _)? = error else {
            Issue.record("no position is named: \(String(describing: error))")
            return
        }
        #expect(position == Position(reached[half]).next)
        #expect(!files(scratch.path).contains("place"))
    }

    @Test("A leftover is removed")
    func leftover() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        try FileManager.default.createDirectory(atPath: copy + ".incomplete", withIntermediateDirectories: false)
        try File.write([1, 2, 3], to: copy + ".incomplete/data.mdb")
        // As somebody's own it is left alone, and so is what a link leads to.
        #expect(throws: JournalError.self) { try JournalDraft(copy) }
        #expect(FileManager.default.fileExists(atPath: copy + ".incomplete/data.mdb"))
        try FileManager.default.createSymbolicLink(
            atPath: copy + "2.incomplete", withDestinationPath: copy + ".incomplete")
        #expect(throws: JournalError.self) { try JournalDraft(copy + "2") }
        #expect(FileManager.default.fileExists(atPath: copy + ".incomplete/data.mdb"))
        try File.write([], to: copy + ".incomplete/incomplete")
        let journal = try Journal.open(scratch.journal, .reader)
        _ = try journal.copy(to: copy, by: Self.run)
        #expect(try Journal.open(copy, .reader).exported() == journal.exported())
        #expect(files(scratch.path) == ["journal", "copy", "copy2.incomplete"])
    }

    @Test("Dead letters come with it, up to the end of their last whole line")
    func letters() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 5) }
        try File.write(Array("one\ntwo\nthr".utf8), to: scratch.journal + "/letters")
        let journal = try Journal.open(scratch.journal, .reader)
        _ = try journal.copy(to: copy, with: ["letters", "none"], by: Self.run)
        #expect(File.text(copy + "/letters") == "one\ntwo\n")
        #expect(try File.mode(copy + "/letters") == 0o600)
        #expect(!files(copy).contains("none"))
    }

    @Test("A backup is restored as it is, and one that is damaged, cut or none is refused and leaves nothing")
    func restored() async throws {
        let clock = Ticking()
        try await Journal.fillAndFold(scratch.journal, clock)
        let entries = try Journal.open(scratch.journal, .reader).exported()
        _ = try Journal.open(scratch.journal, .reader).copy(to: copy, by: Self.run)
        let place = scratch.path + "/place"
        let report = try Journal.restore(copy, to: place, by: Self.run)
        #expect(report.verified.lastPosition == entries.last?.last)
        #expect(try Journal.open(place, .reader).exported() == entries)
        #expect(
            failure { () throws(JournalError) in try Journal.restore(copy, to: place, by: Self.run) }?.exitCode == 73)

        let other = scratch.path + "/other"
        let bytes = try File.bytes(copy + "/data.mdb")
        var damaged = bytes
        // A byte of an event's text, which only its hash guards.
        let mark = Array("shardId-00003".utf8)
        var hits = 0
        for start in damaged.indices where damaged[start...].starts(with: mark) {
            damaged[start + 8] ^= 0x01
            hits += 1
        }
        #expect(hits > 0)
        try File.write(damaged, to: copy + "/data.mdb")
        guard
            case .damagedBackup(copy, _, _)? = failure({ () throws(JournalError) in
                try Journal.restore(copy, to: other, by: Self.run)
            })
        else {
            Issue.record("a damaged backup was restored")
            return
        }
        try File.write([], to: copy + "/data.mdb")
        #expect(
            failure { () throws(JournalError) in try Journal.restore(copy, to: other, by: Self.run) }?.exitCode == 65)
        #expect(
            failure { () throws(JournalError) in try Journal.restore(copy + "-none", to: other, by: Self.run) }?
                .exitCode
                == 74)
        #expect(files(scratch.path) == ["journal", "copy", "place"])
    }
}
