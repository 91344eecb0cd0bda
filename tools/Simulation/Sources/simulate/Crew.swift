internal import Dispatch
internal import Foundation
internal import Synchronization

/// Processes that play seeds side by side. One that traps takes only its own seed with it.
struct Crew {
    private let command: Simulate

    private struct Shared {
        var report: Report
        var progress: Progress

        mutating func take(_ line: Report.Line) {
            report.add(line)
            progress.show(report, after: line)
        }
    }

    init(_ command: Simulate) { self.command = command }

    func run(_ report: inout Report) throws {
        let shared = Mutex(Shared(report: report, progress: Progress(of: command.seeds)))
        let isOver = Mutex(false)
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: command.jobs) { index in
            do {
                try play(from: command.from + UInt64(index), shared, isOver)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        report = shared.withLock { shared in
            shared.progress.end()
            return shared.report
        }
    }

    /// One process after the other, where one traps.
    private func play(
        from first: UInt64, _ shared: borrowing Mutex<Shared>, _ isOver: borrowing Mutex<Bool>
    ) throws {
        var next = first
        let end = command.from + command.seeds
        let began = ContinuousClock.now
        while next < end {
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments =
                ["--worker", "--from", "\(next)", "--seeds", "\(end - next)", "--stride", "\(command.jobs)"]
            if let minutes = command.minutes {
                let elapsed = (ContinuousClock.now - began) / .seconds(60)
                process.arguments? += ["--minutes", "\(max(0, minutes - elapsed))"]
            }
            process.standardOutput = output
            try process.run()
            var playing: UInt64?
            var rest = Data()
            while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
                rest += data
                while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = rest[rest.startIndex..<newline]
                    rest = Data(rest[(newline + 1)...])
                    if let seed = UInt64(String(decoding: line, as: UTF8.self)) {
                        playing = seed
                        continue
                    }
                    let result = try JSONDecoder().decode(Report.Line.self, from: line)
                    playing = nil
                    shared.withLock { $0.take(result) }
                    if command.first, !result.violations.isEmpty { isOver.withLock { $0 = true } }
                }
                if isOver.withLock({ $0 }) { process.terminate() }
            }
            process.waitUntilExit()
            if isOver.withLock({ $0 }) { return }
            guard process.terminationStatus != 0 else { return }
            guard let seed = playing else { return }
            shared.withLock { $0.take(Report.Line(trappedAt: seed, process.terminationStatus)) }
            if command.first { isOver.withLock { $0 = true } }
            next = seed + UInt64(command.jobs)
        }
    }
}
