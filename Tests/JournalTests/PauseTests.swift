import StreamModel
import Testing

@testable import Journal

@Suite("Pausing and resuming")
struct PauseTests {
    private static func fold(_ payloads: [Payload]) throws -> Checkpoint {
        let first = Payload.discovered()
        var checkpoint = try Checkpoint.beginning(
            Sample.key(1), with: first, position: Position(1), time: Sample.noon)
        for (index, payload) in payloads.enumerated() {
            try checkpoint.apply(
                payload, position: Position(UInt64(index + 2)), time: Sample.noon + .seconds(index + 1))
        }
        return checkpoint
    }

    private static func refusal(_ payloads: [Payload]) -> String? {
        do {
            _ = try fold(payloads)
            return nil
        } catch {
            return (error as? Refusal)?.rule
        }
    }

    @Test("A paused shard says who paused it, why and when, and moves no place")
    func paused() throws {
        let before = try Self.fold(Payload.takenUp + [.advanced(10)])
        let after = try Self.fold(Payload.takenUp + [.advanced(10), .paused()])
        #expect(
            after.pause
                == Pause(
                    author: "me@here", reason: "because", time: Sample.noon + .seconds(5), position: Position(6)))
        #expect((after.status, after.sequenceNumber, after.epoch) == (before.status, before.sequenceNumber, .first))
        #expect(try Self.fold(Payload.takenUp + [.advanced(10), .paused(), .resumed()]).pause == nil)
    }

    @Test("What was in a reader's hands still comes, and a rewind leaves the pause as it is")
    func staysPaused() throws {
        let paused = try Self.fold(Payload.takenUp + [.paused(), .advanced(10), .inStep(InStep(until: Sample.noon))])
        #expect(paused.pause?.position == Position(5))
        let rewound = try Self.fold(
            Payload.takenUp + [.paused(), .advanced(10), .rewound(from: 10, to: nil, epoch: 1)])
        #expect(rewound.pause?.position == Position(5))
    }

    @Test("A shard that is over is paused no more, and can't be paused")
    func over() throws {
        let done = Payload.takenUp + [.paused(), .status(.inProcessing, .done)]
        #expect(try Self.fold(done).pause == nil)
        #expect(Self.refusal(done + [.paused()]) == "nothing more is read of a shard that is done")
        #expect(Self.refusal(done + [.resumed()]) == "it is not paused")
        // Rewound, it is read again.
        #expect(try Self.fold(done + [.rewound(from: nil, to: nil, epoch: 1), .paused()]).pause != nil)
    }

    @Test("Neither can be said twice of a shard")
    func twice() {
        #expect(Self.refusal([.paused(), .paused()])?.hasPrefix("it is paused already, by me@here") == true)
        #expect(Self.refusal([.paused(), .resumed(), .resumed()]) == "it is not paused")
        #expect(Self.refusal([.paused(), .resumed(), .paused()]) == nil)
    }

    @Test("A table is paused until it is resumed: a full sync, a loss and a second word leave the first as it is")
    func table() {
        var table = TableState(table: Sample.table)
        let payloads: [Payload] = [
            .paused(), .paused(by: "another"), .lost(.stop, .streamReplaced),
            .phaseChanged(PhaseChanged(from: nil, to: .fullSync, stream: nil, reason: "")),
        ]
        for (index, payload) in payloads.enumerated() {
            table.apply(payload, position: Position(UInt64(index + 1)), time: Sample.noon)
        }
        #expect(
            table.pause == Pause(author: "me@here", reason: "because", time: Sample.noon, position: Position(1)))
        table.apply(.resumed(), position: Position(9), time: Sample.noon)
        #expect(table.pause == nil)
    }

    @Test("A paused table and a paused shard are so after the journal is opened again, and in the fold of its log")
    func reopened() async throws {
        let scratch = Scratch()
        let paused = try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp + [.advanced(10)])
            _ = try await journal.append([Draft(table: Sample.table, [.paused()])])
            return try await journal.add(1, .paused()).position
        }
        try await Journal.use(scratch.journal) { journal in
            #expect(try journal.table(Sample.table)?.pause?.author == "me@here")
            #expect(try journal.checkpoint(of: Sample.key(1))?.pause?.position == paused)
            _ = try journal.verified()
        }
    }

    @Test("What is so already appends nothing; a shard that is over is refused; all else is one event")
    func plans() throws {
        let (pause, resume) = (
            PauseRequest(.pause, reason: "because", author: "me@here"),
            PauseRequest(.resume, reason: "because", author: "me@here")
        )
        let open = try Self.fold(Payload.takenUp)
        let paused = try Self.fold(Payload.takenUp + [.paused()])
        #expect(
            try PausePlan.make(pause, of: open).drafts == [
                Draft(shard: Sample.key(1), expecting: open.revision, [.paused()])
            ])
        #expect(try PausePlan.make(pause, of: paused).drafts == [])
        #expect(try PausePlan.make(pause, of: paused).before == paused.pause)
        #expect(try PausePlan.make(resume, of: open).drafts == [])
        #expect(
            try PausePlan.make(resume, of: paused).drafts == [
                Draft(shard: Sample.key(1), expecting: paused.revision, [.resumed()])
            ])
        let done = try Self.fold(Payload.takenUp + [.status(.inProcessing, .done)])
        #expect(throws: PauseRefusal.isOver(Sample.key(1), .done)) { try PausePlan.make(pause, of: done) }
        #expect(try PausePlan.make(resume, of: done).drafts == [])

        var table = TableState(table: Sample.table)
        #expect(
            PausePlan.make(pause, of: Sample.table, table).drafts == [Draft(table: Sample.table, [.paused()])])
        #expect(PausePlan.make(resume, of: Sample.table, nil).drafts == [])
        table.apply(.paused(), position: Position(1), time: Sample.noon)
        #expect(PausePlan.make(pause, of: Sample.table, table).drafts == [])
        #expect(
            PausePlan.make(resume, of: Sample.table, table).drafts == [Draft(table: Sample.table, [.resumed()])])
    }
}
