internal import Glibc

/// The terminal of standard output, taken over to be drawn on, and given back as it was.
///
/// It decides nothing about what is drawn, and nothing about what a key means.
final class Terminal {
    /// Where keys come from: standard input, if it is the same person's.
    let readsKeys: Bool
    private var before: termios?
    private var isTaken = false

    /// `nil` where there is none, or one that can only take lines.
    init?(environment: [String: String]) {
        guard isatty(STDOUT_FILENO) == 1, let kind = environment["TERM"], !kind.isEmpty, kind != "dumb" else {
            return nil
        }
        // In the background a program that changes its terminal is stopped.
        readsKeys = isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp()
    }

    deinit { leave() }

    /// Source: ECMA-48, and xterm's "Control Sequences" for what begins with `?`: the other screen, no cursor, no wrapping.
    private static let taking = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    /// In reverse; also for whoever ends this process without asking (`Journal.say(onDamage:)`).
    static let leaving = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    func take() {
        guard !isTaken else { return }
        isTaken = true
        if readsKeys {
            var settings = termios()
            if unsafe tcgetattr(STDIN_FILENO, &settings) == 0 {
                before = settings
                // Key by key, unseen; what interrupts is a key like any other, so that nothing ends this halfway.
                settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
                _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
            }
        }
        _ = DescriptorWriter.write(Array(Self.taking.utf8), to: STDOUT_FILENO)
    }

    func leave() {
        guard isTaken else { return }
        isTaken = false
        _ = DescriptorWriter.write(Array(Self.leaving.utf8), to: STDOUT_FILENO)
        guard var settings = before else { return }
        before = nil
        // What was typed meanwhile was not meant for the shell.
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    }

    /// Stops the process as its terminal does, until it is told to go on.
    func suspend() {
        leave()
        kill(0, SIGTSTP)
        // The signal may come to another thread first.
        _ = poll(nil, 0, 50)
        take()
    }

    var size: (width: Int, height: Int) {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Puts `lines` in place of what is there, line by line, so that nothing flickers.
    ///
    /// - Returns: whether there is still somebody to draw for.
    func draw(_ lines: [String]) -> Bool {
        // Cursor home; each line and its rest; and what is below.
        let frame = "\u{1B}[H" + lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
        return DescriptorWriter.write(Array(frame.utf8), to: STDOUT_FILENO) == nil
    }

    /// The keys that were pressed; `nil` where nobody will press any more.
    func keys() -> [UInt8]? {
        var keys = [UInt8](repeating: 0, count: 64)
        let count = unsafe keys.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) ? [] : nil }
        return Array(keys.prefix(count))
    }
}
