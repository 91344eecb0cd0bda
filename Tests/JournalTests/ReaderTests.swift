import Dispatch
import LMDB
import StreamModel
import Testing

@testable import Journal

@Suite("Readers beside appends")
struct ReaderTests {
    private let scratch = Scratch()

    @Test("Whoever reads is seen, with the state that it reads; and its pages are used again when it ends")
    func seen() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 1)
            #expect(try journal.tendReaders().readers.isEmpty)
            var number = 1
            func append(_ count: Int) async throws {
                for _ in 1...count {
                    number += 1
                    try await journal.add(1, .advanced(number))
                }
            }
            try await append(200)
            let quiet = try journal.tendReaders().usedBytes
            try await append(200)
            let steady = try journal.tendReaders().usedBytes - quiet

            let reading = Reading(journal)
            try reading.begin()
            let census = try journal.tendReaders()
            #expect(census.readers.count == 1)
            #expect(census.readers.first?.transaction == census.newest)
            try await append(200)
            let later = try journal.tendReaders()
            #expect(later.readers == census.readers, "it reads what it read")
            #expect(later.newest >= census.newest + 200)
            let held = later.usedBytes - census.usedBytes
            #expect(held > 4 * max(steady, 1) && held > 200 * 8192, "a held state costs \(held), and none \(steady)")
            reading.end()
            #expect(try journal.tendReaders().readers.isEmpty)
            try await append(400)
            let rest = try journal.tendReaders().usedBytes - later.usedBytes
            #expect(rest <= 2 * steady + 65_536, "\(rest): the pages are used again")
        }
    }

    /// A snapshot that is held on a thread of its own.
    private final class Reading: Sendable {
        private let journal: Journal
        private let began = DispatchSemaphore(value: 0)
        private let ends = DispatchSemaphore(value: 0)
        private let ended = DispatchSemaphore(value: 0)

        init(_ journal: Journal) { self.journal = journal }

        func begin() throws {
            DispatchQueue.global().async { [self] in
                try? journal.store.read { (_) throws(JournalError) in
                    began.signal()
                    ends.wait()
                }
                ended.signal()
            }
            began.wait()
        }

        func end() {
            ends.signal()
            ended.wait()
        }
    }
}
