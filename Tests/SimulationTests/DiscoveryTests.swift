import Testing

/// Listings of several pages, as the real client and daemon read them, in virtual time.
@Suite("Discovery in virtual time")
struct DiscoveryTests {
    @Test(
        "A page in the middle of a listing that fails for ten minutes holds up no known shard, and health says so (PEERS row 2)"
    )
    func brokenPage() async throws {
        let stage = Stage(maximumPoll: .seconds(10))
        for index in 1...650 { stage.service.add(ManyShards.name(index), index) }
        let wrong = try await stage.play { stage, found in
            func suffers() -> Bool {
                stage.complaints.contains { $0.hasPrefix("the list of shards is tried again since ") }
            }
            found.expect(await stage.until(.seconds(60)) { stage.records(1...650) } != nil, "all are followed")
            found.expect(await stage.until(.seconds(30)) { stage.complaints.isEmpty } != nil, "all is well")
            stage.service.breakPage(5)
            stage.service.add(ManyShards.name(651), 651)
            found.expect(await stage.until(.seconds(60)) { suffers() } != nil, "health suffers within two intervals")
            for minute in 1...10 {
                // Shards of pages before the broken one, of that page itself, and after it.
                for index in [1, 450, 650] { stage.service.put(1000 * minute + index, in: ManyShards.name(index)) }
                await stage.wait(.seconds(60))
                for record in [1, 450, 650].map({ 1000 * minute + $0 }) {
                    found.expect(stage.records(record...record), "record \(record) in minute \(minute)")
                }
                found.expect(suffers(), "health suffers in minute \(minute)")
            }
            found.expect(!stage.records(651...651), "a shard of no whole listing is not known")
            stage.service.breakPage(nil)
            found.expect(await stage.until(.seconds(30)) { stage.records(651...651) } != nil, "it is found after that")
            found.expect(await stage.until(.seconds(10)) { stage.complaints.isEmpty } != nil, "all is well again")
        }
        #expect(wrong == [])
        #expect(stage.target.records.count == 681, "each once")
    }

    @Test(
        "Five hundred shards that end at once find their children within twenty seconds, at ten listing calls a second (PEERS row 16)"
    )
    func throttled() async throws {
        let stage = Stage()
        for index in 1...500 { stage.service.add(ManyShards.name(index), index) }
        let wrong = try await stage.play { stage, found in
            found.expect(await stage.until(.seconds(20)) { stage.records(1...500) } != nil, "all are followed")
            for index in 1...500 {
                let parent = ManyShards.name(index)
                stage.service.add(ManyShards.name(index, generation: 1), parent: parent, 1000 + index)
                stage.service.close(parent)
            }
            var suffered: Set<String> = []
            // Sooner than the next listing is due.
            let taken = await stage.until(.seconds(20)) {
                suffered.formUnion(stage.complaints)
                return stage.records(1001...1500)
            }
            found.expect(taken != nil, "all children are followed")
            found.expect(stage.warnings.isEmpty, "\(stage.warnings)")
            found.expect(suffered.isEmpty, "\(suffered)")
        }
        #expect(wrong == [])
        #expect(stage.target.records.count == 1000, "each once")
    }
}
