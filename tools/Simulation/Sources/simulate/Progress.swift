internal import Foundation

/// How far a long run is: a line on a terminal, and each seed that fails as soon as it does.
struct Progress {
    private static let interval: Duration = .seconds(1)

    private let total: UInt64
    private let began = ContinuousClock.now
    private var last = ContinuousClock.now
    private let isShown = isatty(STDERR_FILENO) == 1

    init(of total: UInt64) { self.total = total }

    /// - Parameter line: what the report has just learned.
    mutating func show(_ report: Report, after line: Report.Line) {
        if !line.violations.isEmpty { fails(line) }
        guard isShown, case let now = ContinuousClock.now, now - last >= Self.interval else { return }
        last = now
        let elapsed = (now - began) / .seconds(1)
        let rate = Double(report.played) / elapsed
        let left = Int(Double(total - UInt64(report.played)) / rate)
        write(
            "\(report.played) of \(total) seeds, \(Int(rate)) a second, \(report.failed.count) failed, "
                + "\(left / 60) min \(left % 60) s left")
    }

    /// Takes the line away.
    func end() { write("") }

    private func fails(_ line: Report.Line) {
        end()
        FileHandle.standardError.write(Data("seed \(line.seed): \(line.violations.first ?? "")\n".utf8))
    }

    private func write(_ line: String) {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    }
}
