import Foundation
import StreamModel
import Targets
import Testing

/// What every target with a server must hold to when that fails. A new one joins by a case of `FaultCandidate`.
@Suite("Every target with a server", .serialized)
struct ServerFaults {
    private static let ids = (0..<25).map { "p\($0)" }

    private static func item(_ id: String, _ version: Int) -> String {
        let filling = String(repeating: "x", count: 2000)
        return #"{"id":{"S":"\#(id)"},"version":{"N":"\#(version)"},"filling":{"S":"\#(filling)"}}"#
    }

    private static func key(_ id: String) -> String { #"{"id":{"S":"\#(id)"}}"# }

    /// 25 changes, about 50 KB.
    private static func batch(version: Int) -> Batch {
        Feed.batch(
            .people, first: 1 + version * 25,
            ids.map { .modify(keys: key($0), old: nil, new: item($0, version)) })
    }

    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func opened(_ server: any FaultyServer, patience: Duration = .seconds(20)) async throws -> any Target {
        let target = try await server.make(scratch, patience: patience)
        try await target.open(recoveringTo: [])
        try await target.prepare(.people)
        return target
    }

    /// Exactly the rows of one version, and that as its position where the target has positions.
    private func expect(_ version: Int, at server: any FaultyServer, of target: any Target) async throws {
        let held = try await server.items(of: .people, scratch)
        let expected = try Self.ids.map { try WireValue.item(Self.item($0, version)) }
        #expect(held.count == expected.count)
        #expect(Set(held) == Set(expected))
        guard target.storesPositions else { return }
        let positions = try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber)
        #expect(positions == [Feed.number((version + 1) * 25)])
    }

    private func refusal(_ body: () async throws -> Void) async -> TargetError? {
        do {
            try await body()
            return nil
        } catch { return error as? TargetError }
    }

    @Test(
        "A connection that is lost within a write is tried again, and each row is held once",
        arguments: FaultCandidate.allCases, [0, 1, 100, 3000, 20_000, 40_000])
    func lost(candidate: FaultCandidate, bytes: Int) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        _ = try await target.write([Self.batch(version: 0)])
        try await server.spoil(.lost(after: bytes))
        let again = try await target.persist([Self.batch(version: 1)])
        #expect(again > 0 || server.isTriedAgainWithin, "nothing was lost")
        try await server.heal()
        try await expect(1, at: server, of: target)
        await target.close()
    }

    @Test(
        "A daemon that dies within a write goes on in another run, and each row is held once",
        arguments: FaultCandidate.allCases, [0, 1, 100, 3000, 20_000, 40_000])
    func died(candidate: FaultCandidate, bytes: Int) async throws {
        let server = try await candidate.server()
        let first = try await opened(server)
        _ = try await first.write([Self.batch(version: 0)])
        try await server.spoil(.lost(after: bytes))
        let error = await refusal { _ = try await first.write([Self.batch(version: 1)]) }
        #expect(error?.isRetryable ?? server.isTriedAgainWithin, "\(String(describing: error))")
        try await server.heal()
        let second = try await opened(server)
        try await second.persist([Self.batch(version: 1)])
        try await second.persist([Self.batch(version: 2)])
        try await expect(2, at: server, of: second)
        await second.close()
    }

    @Test(
        "A connection that is lost after a write took effect is tried again, and each row is held once",
        arguments: FaultCandidate.allCases)
    func answerLost(candidate: FaultCandidate) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        _ = try await target.write([Self.batch(version: 0)])
        try await server.spoil(.answerLost)
        let again = try await target.persist([Self.batch(version: 1)])
        #expect(again > 0 || server.isTriedAgainWithin, "nothing was lost")
        try await server.heal()
        try await expect(1, at: server, of: target)
        try await target.persist([Self.batch(version: 2)])
        try await expect(2, at: server, of: target)
        await target.close()
    }

    @Test(
        "A server that falls silent is given up, and the write is tried again when it speaks",
        arguments: FaultCandidate.allCases)
    func silent(candidate: FaultCandidate) async throws {
        let server = try await candidate.server()
        let target = try await opened(server, patience: .milliseconds(300))
        try await target.persist([Self.batch(version: 0)])
        try await server.spoil(.silent)
        let error = await refusal { _ = try await target.write([Self.batch(version: 1)]) }
        #expect(error?.isRetryable == true, "\(String(describing: error))")
        try await server.heal()
        try await target.persist([Self.batch(version: 1)])
        try await expect(1, at: server, of: target)
        await target.close()
    }

    @Test("A server that is slow is waited for", arguments: FaultCandidate.allCases)
    func slow(candidate: FaultCandidate) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        try await server.spoil(.slow(milliseconds: 30))
        #expect(try await target.persist([Self.batch(version: 0)]) == 0)
        try await server.heal()
        try await expect(0, at: server, of: target)
        await target.close()
    }

    @Test(
        "A server that was restarted or killed is come back to", arguments: FaultCandidate.allCases,
        [Fault.restarted, .killed])
    func restarted(candidate: FaultCandidate, fault: Fault) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        _ = try await target.write([Self.batch(version: 0)])
        try await server.spoil(fault)
        try await target.persist([Self.batch(version: 1)])
        try await expect(1, at: server, of: target)
        await target.close()
    }

    @Test("Keys that are there already are written over, whoever wrote them", arguments: FaultCandidate.allCases)
    func duplicates(candidate: FaultCandidate) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        _ = try await target.write([Feed.scan(.people, Self.ids.map { Self.item($0, 7) })])
        let inserts = Self.ids.map { Feed.Entry.insert(keys: Self.key($0), new: Self.item($0, 0)) }
        _ = try await target.write([Feed.batch(.people, inserts)])
        try await expect(0, at: server, of: target)
        await target.close()
    }

    @Test(
        "One record among 25 that is refused is named, and the others are taken without it",
        arguments: FaultCandidate.allCases, [0, 12, 24])
    func refused(candidate: FaultCandidate, place: Int) async throws {
        let server = try await candidate.server()
        let target = try await opened(server)
        let entries = Self.ids.enumerated().map { index, id in
            Feed.Entry.insert(keys: Self.key(id), new: index == place ? server.refusedItem(id) : Self.item(id, 0))
        }
        let batch = Feed.batch(.people, entries)
        let error = await refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, let what, _, let change?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change.sequenceNumber == Feed.number(1 + place))
        #expect(what.contains(Feed.number(1 + place).text))
        _ = try await target.write([batch.without(change)])
        let held = try await server.items(of: .people, scratch)
        let expected = try Self.ids.enumerated().filter { $0.offset != place }.map {
            try WireValue.item(Self.item($0.element, 0))
        }
        #expect(Set(held) == Set(expected))
        await target.close()
    }

    @Test(
        "Somebody who may not write there is told why, and never their password", arguments: FaultCandidate.allCases,
        Unwelcome.allCases)
    func unwelcome(candidate: FaultCandidate, somebody: Unwelcome) async throws {
        let server = try await candidate.server()
        guard let (target, words) = try await server.make(scratch, by: somebody) else { return }
        let error = await refusal {
            try await target.open(recoveringTo: [])
            try await target.prepare(.people)
            _ = try await target.write([Self.batch(version: 0)])
        }
        guard case .misconfigured(_, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(words), "\(reason)")
        #expect(!reason.contains(Unwelcome.password) && !target.name.contains(Unwelcome.password))
        await target.close()
    }
}
