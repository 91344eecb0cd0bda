import StreamModel
import Testing

@testable import Journal

@Suite("Trying dead letters again")
struct RetrialTests {
    private let scratch = Scratch()

    /// A shard that was read up to 50, with the records at 20 and 30 put aside; then something more is said of it.
    private func retrial(after payloads: Payload..., positions: Range<Int> = 0..<2) async throws -> Retrial {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp + [.refused(20), .refused(30), .advanced(50)])
            let letters = try journal.waitingLetters()
            #expect(letters.map(\.refused.sequenceNumber) == [Sample.number(20), Sample.number(30)])
            if !payloads.isEmpty { try await journal.add(1, payloads) }
            let checkpoint = try #require(try journal.checkpoint(of: Sample.key(1)))
            return Array(letters[positions]).retrial(of: checkpoint)
        }
    }

    @Test("The shard is set back to the first of them")
    func rewind() async throws {
        #expect(try await retrial() == .rewind(to: Sample.number(20)))
    }

    @Test("To the first of those that are named")
    func second() async throws {
        #expect(try await retrial(positions: 1..<2) == .rewind(to: Sample.number(30)))
    }

    @Test("A shard that was set back before them comes to them by itself", arguments: [nil, 10])
    func before(place: Int?) async throws {
        #expect(try await retrial(after: .rewound(from: 50, to: place, epoch: 1)) == .comesAgain)
    }

    @Test("One that was set back between them is set back further, where the first is not delivered again")
    func between() async throws {
        #expect(
            try await retrial(after: .rewound(from: 50, to: 20, epoch: 1)) == .rewind(to: Sample.number(20)))
    }

    @Test("One that was set back to the first of them, itself included, comes to it")
    func inclusive() async throws {
        #expect(try await retrial(after: .rewound(from: 50, to: 20, inclusive: true, epoch: 1)) == .comesAgain)
    }

    @Test(
        "A shard that was set back before them and has ended never comes to them", arguments: [Status.lost, .notNeeded])
    func over(status: Status) async throws {
        let retrial = try await retrial(after: .rewound(from: 50, to: 10, epoch: 1), .status(.prepared, status))
        #expect(retrial == .outOfReach)
    }

    @Test("Neither does one that was pinned at its newest record")
    func pinned() async throws {
        #expect(
            try await retrial(after: .rewound(from: 50, to: nil, epoch: 1), .resolved(.latest)) == .outOfReach)
    }

    @Test("A lost shard that had come past them is asked for them: the stream says whether it has them")
    func lostBehind() async throws {
        #expect(try await retrial(after: .status(.inProcessing, .lost)) == .rewind(to: Sample.number(20)))
    }

    @Test("What was settled meanwhile is left alone")
    func settled() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp + [.refused(20), .advanced(50)])
            let letters = try journal.waitingLetters()
            _ = try await journal.append(letters.settling(author: "me@here", reason: "because"))
            #expect(letters.retrial(of: try #require(try journal.checkpoint(of: Sample.key(1)))) == .comesAgain)
            #expect(try journal.waitingLetters().isEmpty)
        }
    }
}
