import Testing

/// What ends a daemon that hangs must leave one alone that works. In virtual time, so that minutes are none.
@Suite("A watchdog in virtual time")
struct WatchdogTests {
    /// - Parameter shards: by default more than there are connections (`HTTPSettings.maximumTransfers`).
    private func stage(_ shards: Int = 151) -> Stage {
        let stage = Stage()
        for index in 1...shards { stage.service.add(ManyShards.name(index), index) }
        return stage
    }

    @Test("A daemon whose source accepts all calls and answers none stays alive, however many shards wait for their turn")
    func silentSource() async throws {
        let stage = stage()
        let wrong = try await stage.play { stage, found in
            let first = await stage.until(.seconds(60)) { stage.target.records.count == 151 }
            found.expect(first != nil, "all are followed")
            stage.service.fallSilent()
            await stage.wait(.seconds(900))
            found.expect(!stage.complaints.isEmpty, "it is seen that nothing comes")
        }
        #expect(wrong == [])
        #expect(stage.hangs == [])
    }

    @Test("One shard that is refused for ever does not hide that all others stand still")
    func refusedBesideStandstill() async throws {
        let stage = stage(5)
        let wrong = try await stage.play { stage, found in
            let first = await stage.until(.seconds(60)) { stage.target.records.count == 5 }
            found.expect(first != nil, "all are followed")
            stage.service.refuseOnly(ManyShards.name(1))
            await stage.wait(.seconds(290))
            found.expect(stage.hangs.isEmpty, "five minutes are not over")
            await stage.wait(.seconds(30))
            found.expect(!stage.hangs.isEmpty, "it is seen")
        }
        #expect(wrong == [])
        #expect(stage.hangs.allSatisfy { $0.hasPrefix("nothing was read for") })
    }

    @Test("A clock that is set makes no daemon look as if it hung", arguments: [3600, -3600])
    func clockSet(seconds: Int) async throws {
        let stage = stage()
        let wrong = try await stage.play { stage, found in
            let first = await stage.until(.seconds(60)) { stage.target.records.count == 151 }
            found.expect(first != nil, "all are followed")
            for step in 1...20 {
                stage.setClock(ahead: .seconds(step.isMultiple(of: 2) ? 0 : seconds))
                await stage.wait(.milliseconds(2100))
            }
        }
        #expect(wrong == [])
        #expect(stage.hangs == [])
    }
}
