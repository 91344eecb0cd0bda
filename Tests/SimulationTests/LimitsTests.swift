import DynamoDB
import Testing

/// Calls a second, and what a slow target holds back, as the real client and daemon behave in virtual time.
@Suite("Limits in virtual time")
struct LimitsTests {
    private func name(_ index: Int) -> String { ManyShards.name(index) }

    @Test("Of more shards than calls a second all make progress, the busy ones first, and no second has more calls")
    func fairness() async throws {
        let shards = 400
        let busy = 1...5
        let stage = Stage(limits: CallLimits(getRecords: 20))
        for index in 1...shards { stage.service.add(name(index), index) }
        stage.service.cutPages(to: 10)
        let wrong = try await stage.play { stage, found in
            // Twenty calls a second: a round of all takes twenty seconds.
            let first = await stage.until(.seconds(60)) { stage.target.records.count == shards }
            found.expect(first != nil, "all are followed")
            await stage.wait(.seconds(120))
            found.expect(stage.complaints.isEmpty, "who only waits for its turn is well: \(stage.complaints)")
            for index in busy {
                for record in 1...1000 { stage.service.put(index * 10_000 + record, in: name(index)) }
            }
            for index in busy.upperBound + 1...shards { stage.service.put(index * 10_000, in: name(index)) }
            func brought() -> (busy: Int, idle: Int) {
                let records = stage.target.records.compactMap { Int($0) }.filter { $0 >= 10_000 }
                let idle = records.count { $0 / 10_000 > busy.upperBound }
                return (records.count - idle, idle)
            }
            await stage.wait(.seconds(20))
            found.expect(brought().idle >= 50, "idle ones have a share of their own: \(brought()) after 20 s")
            // 500 pages at every other call, beside the second looks at 395 others; in turn with all of these it would be 2,000
            // seconds.
            await stage.wait(.seconds(100))
            found.expect(brought().busy == 5000, "busy ones go first: \(brought()) after 120 s")
            let all = await stage.until(.seconds(60)) { brought() == (5000, shards - 5) }
            found.expect(all != nil, "everything comes: \(brought())")
            found.expect(stage.complaints.isEmpty, "\(stage.complaints)")
            found.expect(stage.warnings.isEmpty, "\(stage.warnings)")
        }
        #expect(wrong == [])
        #expect(stage.service.mostReadsInASecond <= 20)
        #expect(stage.service.throttled == 0, "DescribeStream, too, is called no more often than it may be")
        #expect(Set(stage.target.records).count == stage.target.records.count, "each once")
    }

    @Test("Polling idle shards comes to what is allowed, and not to much less")
    func usesWhatItMay() async throws {
        let stage = Stage(limits: CallLimits(getRecords: 100))
        for index in 1...300 { stage.service.add(name(index)) }
        let wrong = try await stage.play { stage, _ in await stage.wait(.seconds(100)) }
        #expect(wrong == [])
        #expect(stage.service.mostReadsInASecond <= 100)
        #expect(stage.service.reads.count >= 8500)
    }

    @Test("A table may be given less than the process")
    func perTable() async throws {
        let stage = Stage(limits: CallLimits(getRecords: 1000, getRecordsPerTable: 10))
        for index in 1...50 { stage.service.add(name(index), index) }
        let wrong = try await stage.play { stage, found in
            found.expect(await stage.until(.seconds(10)) { stage.records(1...50) } != nil, "all are followed")
            await stage.wait(.seconds(60))
            found.expect(stage.complaints.isEmpty, "\(stage.complaints)")
        }
        #expect(wrong == [])
        #expect(stage.service.mostReadsInASecond <= 10)
    }

    @Test("Under a target that is slow for hours memory is bounded, iterators are renewed, and nothing is lost")
    func slowTarget() async throws {
        let (shards, records) = (8, 10_000)
        let budget = 4 << 20
        let stage = Stage(memoryBudget: budget)
        stage.service.cutPages(to: 1000)
        stage.service.expireIterators(after: .seconds(900))
        stage.target.slow(to: .seconds(960))
        for index in 1...shards {
            stage.service.add(name(index))
            for record in 1...records { stage.service.put(index * 100_000 + record, in: name(index)) }
        }
        // Some in which nothing happens meanwhile.
        for index in shards + 1...shards + 20 { stage.service.add(name(index)) }
        let wrong = try await stage.play { stage, found in
            var most = 0
            func watch(_ seconds: Int) async {
                for _ in 0..<seconds {
                    await stage.wait(.seconds(1))
                    most = max(most, stage.service.bytes - stage.target.bytes)
                }
            }
            await watch(120)
            let held = stage.complaints
            found.expect(held.count == 1 && held[0].hasPrefix("the target has acknowledged nothing for "), "\(held)")
            await watch(7200)
            let written = stage.target.records.count
            found.expect(written < shards * records, "it was slow all the time")
            found.expect(stage.service.expired > 0, "iterators have expired")

            stage.target.slow(to: .seconds(20))
            await watch(1000)
            stage.service.put(9_000_000, in: name(1))
            await watch(50)
            stage.service.put(9_000_001, in: name(1))
            await watch(10)
            let slow = stage.complaints
            found.expect(
                slow == ["the target holds the reading back: its last write took 20 s"], "slow, and at work: \(slow)")

            stage.target.slow(to: .zero)
            let all = await stage.until(.seconds(600)) { stage.target.records.count >= shards * records + 2 }
            found.expect(all != nil, "\(stage.target.records.count) of \(shards * records + 2)")
            found.expect(most > budget / 2 && most <= budget, "\(most) bytes were read and not yet written")
            await stage.wait(.seconds(90))
            found.expect(stage.complaints.isEmpty, "all is well again: \(stage.complaints)")
        }
        #expect(wrong == [])
        let numbers = stage.target.records.compactMap { Int($0) }
        for index in 1...shards {
            let own = numbers.filter { $0 / 100_000 == index }
            #expect(own == (1...records).map { index * 100_000 + $0 }, "shard \(index): each once, and in order")
        }
    }
}
