internal import Glibc
internal import Synchronization

/// Standard error: log lines, error messages and, on a terminal, one line of progress below them that is drawn again
/// and again.
///
/// Everything that is written there goes through here, so that a log line never lands in the middle of the progress.
final class StandardError: Sendable {
    static let shared = StandardError()

    /// Progress is drawn for a person only.
    let showsProgress: Bool

    private let progress = Mutex("")

    init() { showsProgress = isatty(STDERR_FILENO) == 1 }

    /// One call a line: lines of several threads don't mix. What can't be written there can be told to nobody.
    func line(_ text: String) {
        progress.withLock { drawn in
            _ = DescriptorWriter.write(
                Array("\(drawn.isEmpty ? "" : Self.erase)\(text)\n\(drawn)".utf8), to: STDERR_FILENO)
        }
    }

    /// Draws `text` in place of the last progress; nothing takes it away.
    func progress(_ text: String?) {
        guard showsProgress else { return }
        progress.withLock { drawn in
            guard drawn != text ?? "" else { return }
            drawn = text ?? ""
            _ = DescriptorWriter.write(Array((Self.erase + drawn).utf8), to: STDERR_FILENO)
        }
    }

    /// To the line's start, and away with it (ECMA-48 EL).
    private static let erase = "\r\u{1B}[K"
}
