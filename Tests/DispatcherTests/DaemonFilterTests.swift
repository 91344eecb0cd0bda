import Dispatcher
import DynamoDB
import Filter
import Journal
import StreamModel
import Testing

@Suite("A daemon with a filter", .timeLimit(.minutes(2)))
struct DaemonFilterTests {
    private let rig = Rig(storesPositions: true)

    private static func filter(_ expression: String, _ values: String? = nil) throws -> TableFilters {
        var placeholders = try Placeholders(values: values)
        return TableFilters(tables: [Sample.table: try ItemFilter(expression, &placeholders)])
    }

    /// Items whose `n` is 1.
    private static func ones(_ configuration: DaemonConfiguration) throws -> DaemonConfiguration {
        var configuration = configuration
        configuration.filters = try filter("n = :one", #"{":one":{"N":"1"}}"#)
        return configuration
    }

    private static func record(
        _ number: Int, _ kind: Change.Kind, key: String = "item-1", new: String? = nil, old: String? = nil
    ) -> FakeShard.Record {
        let image = { (name: String, n: String?) in
            n.map { #","\#(name)":{"id":{"S":"\#(key)"},"n":{"N":"\#($0)"}}"# } ?? ""
        }
        return FakeShard.Record(
            number: number, key: key, time: .now(),
            text: """
                {"eventName":"\(kind.rawValue)","dynamodb":{"ApproximateCreationDateTime":1795000000,\
                "Keys":{"id":{"S":"\(key)"}},"SequenceNumber":"\(number)"\
                \(image("NewImage", new))\(image("OldImage", old))}}
                """)
    }

    private static let enters = record(11, .modify, new: "1.0", old: "0")
    private static let stays = record(12, .modify, new: "1", old: "1")
    private static let leaves = record(13, .modify, new: "2", old: "1")
    private static let isElsewhere = record(14, .modify, new: "3", old: "2")
    private static let mayLeave = record(15, .modify, new: "3")
    private static let isMadeElsewhere = record(16, .insert, new: "2")
    private static let isMade = record(17, .insert, new: "1")
    private static let goes = record(18, .remove, old: "1")
    private static let goesElsewhere = record(19, .remove, old: "2")
    private static let mayGo = record(20, .remove)
    private static let all = [
        enters, stays, leaves, isElsewhere, mayLeave, isMadeElsewhere, isMade, goes, goesElsewhere, mayGo,
    ]

    @Test("What matches passes, what may have left the filter is deleted, and nothing else is written")
    func followed() async throws {
        rig.source.add(FakeShard("a", isClosed: false))
        rig.source.change("a") { $0.records = Self.all }
        try await rig.run(try Self.ones(Rig.following)) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "a") == 20 }
        }
        #expect(rig.target.numbers == [11, 12, 13, 15, 17, 18, 20])
        #expect(rig.target.removed == [13, 15, 18, 20])
    }

    @Test("Beside scans that may read what was, whatever does not match is a delete")
    func eventuallyConsistent() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.records = Self.all }
        var configuration = try Self.ones(Rig.following)
        configuration.consistentScan = false
        try await rig.run(configuration) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "a") == 20 }
        }
        #expect(rig.target.numbers == Array(11...20))
        #expect(rig.target.removed == [13, 14, 15, 16, 18, 19, 20])
    }

    @Test("Without a filter, and for other tables than its own, everything passes")
    func unfiltered() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.records = Self.all }
        var configuration = try Self.ones(Rig.following)
        configuration.filters = TableFilters(tables: [
            TableName("other"): try #require(configuration.filters[Sample.table])
        ])
        try await rig.run(configuration) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "a") == 20 }
        }
        #expect(rig.target.numbers == Array(11...20))
        #expect(rig.target.removed == [18, 19, 20])
    }

    @Test("Records that are left out are counted, and the checkpoint goes past them, also where nothing else comes")
    func counted() async throws {
        rig.source.add(FakeShard("a", pageSize: 2))
        rig.source.change("a") {
            $0.records = (11...17).map {
                Self.record($0, .modify, key: "item-\($0)", new: $0 == 14 ? "1" : "5", old: "5")
            }
        }
        try await rig.run(try Self.ones(Rig.following)) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "a") == 17 }
        }
        #expect(rig.target.numbers == [14])
        let advances = try rig.journal { journal in
            try journal.everything().compactMap {
                if case .sequenceAdvanced(let step) = $0.payload { step } else { nil }
            }
        }
        #expect(advances.reduce(0) { $0 + $1.records } == 7)
        #expect(advances.allSatisfy { $0.approximateTime == Timestamp(seconds: 1_795_000_000) })
        #expect(advances.last?.sequenceNumber == Sample.number(17))
        // And the next run goes on behind them.
        rig.source.change("a") { $0.records.append(Self.record(18, .modify, new: "1", old: "5")) }
        try await rig.run(try Self.ones(Rig.following)) { daemon in
            try await eventually("the next one is read") { try daemon.journal.number(of: "a") == 18 }
        }
        #expect(rig.target.numbers == [14, 18])
    }

    @Test("What the target can't hold is counted as refused, and what is left out as read")
    func letters() async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") {
            $0.records = (11...15).map {
                Self.record($0, .modify, key: "item-\($0)", new: $0 < 13 ? "1" : "5", old: "5")
            }
        }
        rig.target.cannotHold("11")
        try await rig.run(try Self.ones(Rig.following)) { daemon in
            try await eventually("all is read") { try daemon.journal.number(of: "a") == 15 }
        }
        #expect(rig.target.numbers == [12])
        let advances = try rig.journal { journal in
            try journal.everything().compactMap {
                if case .sequenceAdvanced(let step) = $0.payload { step } else { nil }
            }
        }
        #expect(advances.reduce(0) { $0 + $1.records } == 4)
        #expect(try rig.events("record_refused").count == 1)
    }

    @Test("A scan brings what matches, page by page to its end, though whole pages bring nothing")
    func scanned() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.filters = try Self.filter("begins_with(id, :p)", #"{":p":{"S":"item-19"}}"#)
        try await rig.run(configuration) { daemon in
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.items() == [ScanPage.key(of: "item-19")])
        #expect(try rig.journal { try $0.table(Sample.table)?.items } == 1)
    }

    @Test("A row that was scanned before it left the filter, and comes after that, is left out")
    func leftMeanwhile() async throws {
        rig.addScannedTable()
        var configuration = Rig.scanning()
        configuration.filters = try Self.filter("attribute_not_exists(n)")
        let gate = rig.source.hold(.scan)
        try await rig.run(configuration) { daemon in
            try await eventually("the scan begins") { gate.arrivals == 2 }
            rig.source.change("a") {
                $0.records += [
                    // It left, and then changed once more: the second is left out, and its key is touched all the same.
                    FakeShard.Record(
                        number: 11, key: "item-1", time: .now(),
                        text: """
                            {"eventName":"MODIFY","dynamodb":{"Keys":{"id":{"S":"item-1"}},"SequenceNumber":"11",\
                            "NewImage":{"id":{"S":"item-1"},"n":{"N":"1"}},"OldImage":{"id":{"S":"item-1"}}}}
                            """),
                    Self.record(12, .modify, new: "2", old: "1"),
                ]
            }
            try await eventually("the stream is followed") { try daemon.journal.number(of: "a") == 12 }
            // The scan's answers are of before: the fake's items have no `n`.
            gate.open()
            try await eventually("the scan is finished") { try daemon.journal.phase() == .incrSync }
        }
        #expect(rig.target.removed == [11])
        #expect(rig.target.numbers == [11])
        #expect(Set(rig.target.items()) == Rig.keys.subtracting([ScanPage.key(of: "item-1")]))
    }

    @Test(
        "After a skipped loss, what matched neither before nor after a change is a delete all the same",
        arguments: [true, false])
    func afterSkippedLoss(isRestarted: Bool) async throws {
        rig.source.add(FakeShard("a"))
        rig.source.change("a") { $0.records = [Self.isMade] }
        var configuration = try Self.ones(Rig.following(onLoss: .skip))
        try await rig.run(configuration) { daemon in
            try await eventually("it is in the target") { try daemon.journal.number(of: "a") == 17 }
        }
        // The record that made it leave the filter is lost.
        rig.source.change("a") {
            $0.records += [Self.record(18, .modify, new: "2", old: "1"), Self.record(19, .modify, new: "3", old: "2")]
            $0.trimmed = 2
        }
        let later = Self.record(21, .modify, new: "4", old: "3")
        try await rig.run(configuration) { daemon in
            try await eventually("what is left is read") { try daemon.journal.number(of: "a") == 19 }
            guard !isRestarted else { return }
            rig.source.change("a") { $0.records.append(later) }
            try await eventually("the next one is read") { try daemon.journal.number(of: "a") == 21 }
        }
        if isRestarted {
            configuration.onLoss = LossPolicies()
            rig.source.change("a") { $0.records.append(later) }
            try await rig.run(configuration) { daemon in
                try await eventually("the next one is read") { try daemon.journal.number(of: "a") == 21 }
            }
        }
        #expect(rig.target.removed == [19, 21])
    }
}
