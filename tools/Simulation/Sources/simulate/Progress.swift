internal import Foundation

/// One line on a terminal that says how far a long run is; nothing where nobody looks.
struct Progress {
    private static let interval: Duration = .seconds(1)

    private let total: UInt64
    private let began = ContinuousClock.now
    private var last = ContinuousClock.now
    private let isShown = isatty(STDERR_FILENO) == 1

    init(of total: UInt64) { self.total = total }

    mutating func show(_ report: Report) {
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

    private func write(_ line: String) {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    }
}
