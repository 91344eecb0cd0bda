internal import Glibc
internal import Journal
internal import StreamModel

/// Drives the journal in process, for `tools/bench`. Each command prints one JSON object.
///
///     journal-bench append DIR APPENDERS MILLISECONDS   {"events":…,"seconds":…,"cpu":…}
///     journal-bench fill DIR SHARDS EVENTS              {"events":…,"seconds":…}
///     journal-bench open DIR                            {"open":…,"checkpoints":…,"shards":…}
///     journal-bench verify DIR                          {"events":…,"seconds":…}
@main
struct JournalBench {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst(2).compactMap { Int($0) }
        do {
            switch (arguments.first, arguments.dropFirst().first, numbers.first, numbers.dropFirst().first) {
            case ("append", let path?, let appenders?, let milliseconds?):
                try await append(to: path, appenders: appenders, for: .milliseconds(milliseconds))
            case ("fill", let path?, let shards?, let events?): try await fill(path, shards: shards, events: events)
            case ("open", let path?, nil, nil): try await open(path)
            case ("verify", let path?, nil, nil): try verify(path)
            default:
                fail("use: append DIR APPENDERS MILLISECONDS | fill DIR SHARDS EVENTS | open DIR | verify DIR")
            }
        } catch {
            fail("\(error)")
        }
    }

    /// Every appender has a shard of its own and appends one `sequence_advanced` after the other, each waiting for its
    /// own to be durable: so a transaction holds at most one event of each.
    private static func append(
        to path: String, appenders: Int, for duration: Duration
    ) async throws(JournalError) {
        let journal = try Journal.open(path, .daemon(.bench))
        let shards = (0..<appenders).map(Workload.shard)
        let receipts = try await journal.append(shards.map(Workload.takenUp))
        let clock = ContinuousClock()
        let cpu = cpuSeconds()
        let start = clock.now
        let end = start + duration
        let result: Result<Int, JournalError> = await withTaskGroup { group in
            for (shard, receipt) in zip(shards, receipts) {
                group.addTask { @concurrent in await advance(shard, from: receipt, in: journal, until: end) }
            }
            var total = 0
            for await result in group {
                switch result {
                case .success(let count): total += count
                case .failure: return result
                }
            }
            return .success(total)
        }
        let events = try result.get()
        let seconds = (clock.now - start) / .seconds(1)
        print(#"{"events":\#(events),"seconds":\#(seconds),"cpu":\#(cpuSeconds() - cpu)}"#)
        await journal.close(reason: "measured")
    }

    private static func advance(
        _ shard: ShardKey, from receipt: Receipt, in journal: Journal, until end: ContinuousClock.Instant
    ) async -> Result<Int, JournalError> {
        var revision = receipt.checkpoint?.revision ?? .none
        var count = 0
        while ContinuousClock.now < end {
            let draft = Draft(shard: shard, expecting: revision, [Workload.advance(to: revision.next)])
            do throws(JournalError) {
                guard let checkpoint = try await journal.append([draft]).first?.checkpoint else { break }
                revision = checkpoint.revision
            } catch {
                return .failure(error)
            }
            count += 1
        }
        return .success(count)
    }

    /// Makes a log of `events` events of `shards` shards, interleaved in runs of ten a shard, in large transactions.
    private static func fill(_ path: String, shards: Int, events: Int) async throws(JournalError) {
        let (run, shardsATransaction) = (10, 1000)
        let journal = try Journal.open(path, .daemon(.bench))
        let keys = (0..<shards).map(Workload.shard)
        let start = ContinuousClock.now
        var revisions = [Revision](repeating: .none, count: shards)
        var appended = 0
        var next = 0
        while appended < events {
            let chosen = (next..<min(next + shardsATransaction, shards))
            let drafts = chosen.map { number in
                guard revisions[number] != .none else { return Workload.takenUp(keys[number]) }
                let payloads = (1...UInt64(run)).map { Workload.advance(to: Revision(revisions[number].number + $0)) }
                return Draft(shard: keys[number], expecting: revisions[number], payloads)
            }
            for receipt in try await journal.append(drafts) {
                guard let checkpoint = receipt.checkpoint else { continue }
                revisions[next] = checkpoint.revision
                next += 1
            }
            appended += drafts.reduce(0) { $0 + $1.payloads.count }
            if next == shards { next = 0 }
        }
        print(#"{"events":\#(appended),"seconds":\#((ContinuousClock.now - start) / .seconds(1))}"#)
        await journal.close(reason: "filled")
    }

    /// A daemon's start, as far as it is the journal's: opened to write (its `run_started` durable), every checkpoint
    /// read.
    private static func open(_ path: String) async throws(JournalError) {
        let start = ContinuousClock.now
        let journal = try Journal.open(path, .daemon(.bench))
        let opened = ContinuousClock.now
        let shards = try journal.checkpoints().count
        let end = ContinuousClock.now
        let (open, checkpoints) = ((opened - start) / .seconds(1), (end - opened) / .seconds(1))
        print(#"{"open":\#(open),"checkpoints":\#(checkpoints),"shards":\#(shards)}"#)
        await journal.close(reason: "measured")
    }

    private static func verify(_ path: String) throws(JournalError) {
        let journal = try Journal.open(path, .reader)
        let start = ContinuousClock.now
        let report = try journal.verify { _ in }
        print(#"{"events":\#(report.events),"seconds":\#((ContinuousClock.now - start) / .seconds(1))}"#)
    }

    /// User and system seconds of all threads.
    private static func cpuSeconds() -> Double {
        var usage = rusage()
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
    }

    private static func fail(_ message: String) -> Never {
        let line = Array("journal-bench: \(message)\n".utf8)
        unsafe write(STDERR_FILENO, line, line.count)
        exit(1)
    }
}

extension RunStarted {
    fileprivate static let bench = RunStarted(role: "daemon", version: "bench", host: "localhost", pid: getpid())
}
