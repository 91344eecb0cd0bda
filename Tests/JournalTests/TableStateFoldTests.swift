import StreamModel
import Testing

@testable import Journal

@Suite("Folding a table's events")
struct TableStateFoldTests {
    private static func advance(_ segment: UInt32, _ key: String?, items: UInt64 = 5) -> Payload {
        .scanAdvanced(
            ScanAdvanced(
                segment: segment, totalSegments: 4, lastEvaluatedKey: key.map { Array($0.utf8) }, items: items,
                bytes: 100, targetToken: nil))
    }

    private static func fold(_ payloads: [Payload]) -> TableState {
        var table = TableState(table: Sample.table)
        for (index, payload) in payloads.enumerated() {
            table.apply(payload, position: Position(UInt64(index + 1)), time: Sample.noon + .seconds(index))
        }
        return table
    }

    private static let fullSync = Payload.phaseChanged(
        PhaseChanged(from: nil, to: .fullSync, stream: Sample.stream, reason: "first"))

    @Test("Segments are kept by number, whatever the order in which they advance, and add up")
    func segments() {
        let table = Self.fold([
            Self.fullSync, Self.advance(2, "k1"), Self.advance(0, "k2"), Self.advance(2, "k3"), Self.advance(1, nil),
        ])
        #expect(table.segments.map(\.segment) == [0, 1, 2])
        #expect(table.segments.map(\.isFinished) == [false, true, false])
        #expect(table.segments.map(\.items) == [5, 5, 10])
        #expect(table.segments[2].lastEvaluatedKey == Array("k3".utf8))
        #expect(table.items == 20)
    }

    @Test("Entering a full sync forgets the segments before it, and leaving it does not")
    func phases() throws {
        let begun = [Self.fullSync, Self.advance(0, nil), .scanFinished(ScanFinished(items: 5))]
        let incremental = Payload.phaseChanged(
            PhaseChanged(from: .fullSync, to: .incrSync, stream: nil, reason: "scanned"))
        let following = Self.fold(begun + [incremental])
        #expect((following.phase, following.segments.count) == (.incrSync, 1))
        let id = try #require(following.fullSync)
        #expect(following.scanBegan == Position(1))
        #expect(following.stream == Sample.stream, "a change without a stream keeps the old one")
        let again = Self.fold(begun + [incremental, Self.fullSync])
        #expect((again.phase, again.segments.count) == (.fullSync, 0))
        #expect(try #require(again.fullSync) != id)
        #expect(again.scanBegan == Position(5))
    }

    @Test("A fault is kept and clears nothing")
    func fault() {
        let table = Self.fold([Self.fullSync, Self.advance(0, "k"), .faulted("Denied")])
        #expect((table.lastFault?.code, table.segments.count, table.phase) == ("Denied", 1, .fullSync))
    }

    @Test("Which table it is stays until another one is named; that it is gone stays until a phase is entered")
    func identity() {
        let named = Payload.phaseChanged(
            PhaseChanged(
                from: nil, to: .fullSync, stream: nil, reason: "", tableID: TableID("1"), wanted: .matching("a")))
        let unnamed = Payload.phaseChanged(PhaseChanged(from: .fullSync, to: .incrSync, stream: nil, reason: ""))
        let gone = Payload.tableRemoved(TableRemoved(stream: nil, tableID: nil))
        let state = Self.fold([named, unnamed, gone])
        #expect((state.id, state.wanted) == (TableID("1"), .matching("a")))
        #expect(state.removed == Sample.noon + .seconds(2))
        #expect(state.phase == .incrSync, "what is known of it stays")
        let back = Self.fold([named, gone, .faulted(), unnamed])
        #expect((back.removed, back.id) == (nil, TableID("1")))
        let all = PhaseChanged(from: nil, to: .incrSync, stream: nil, reason: "", tableID: TableID("2"), wanted: .all)
        #expect(Self.fold([named, .phaseChanged(all)]).wanted == .all)
        #expect(Self.fold([named, .phaseChanged(all)]).id == TableID("2"))
    }
}
