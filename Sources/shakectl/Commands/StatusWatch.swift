internal import Dispatcher
internal import Foundation
internal import Glibc
internal import Journal
internal import StreamModel
internal import UnixSignals

/// `status --watch`: looks again and again, and shows what is there now. What is shown, and what is a change, others say.
struct StatusWatch {
    private let context: CommandContext
    private let journal: Journal
    private let interval: Duration
    private var facts: Facts?
    private var trends: [TableName: TableTrend] = [:]
    private var lines = WatchLines()

    /// What the journal says; read anew only once it has grown.
    private struct Facts {
        let position: Position
        let tables: [TableState]
        let checkpoints: [Checkpoint]
        let target: String
    }

    init(_ context: CommandContext, _ journal: Journal, every interval: Duration) {
        self.context = context
        self.journal = journal
        self.interval = interval
    }

    /// Until somebody ends it.
    ///
    /// - Throws: `.journal`, `.output`, `.outputClosed`.
    mutating func run() async throws(ShakectlError) {
        let environment = ProcessInfo.processInfo.environment
        let terminal = context.options.json ? nil : Terminal(environment: environment)
        let waiting = await Waiting(for: terminal)
        defer { waiting.end() }
        if terminal != nil { Journal.say(onDamage: Terminal.leaving) }
        terminal?.take()
        // On each way out; what an error has to say comes after it.
        defer { terminal?.leave() }
        let glyphs = Glyphs(environment: environment)
        let since = Timestamp.now()
        var view = try look(at: since)
        if let terminal {
            repeat {
                let frame = WatchFrame(view: view, trends: trends, now: .now(), since: since, interval: interval)
                let size = terminal.size
                guard terminal.draw(frame.lines(width: size.width, height: size.height, context.palette, glyphs)) else {
                    return
                }
            } while try await goesOn(terminal, waiting, &view)
        } else {
            if view.tables.isEmpty {
                StandardError.shared.line("shakectl: the journal \(journal.path) knows no table yet; it is watched")
            }
            repeat { try say(view) } while try goesOn(waiting, &view)
        }
    }

    // MARK: Looking

    /// Each question is a snapshot of its own, and over before anybody waits.
    private mutating func look(at now: Timestamp) throws(ShakectlError) -> StatusView {
        let position = try asking(journal.lastPosition)
        let known: Facts
        if let facts, facts.position == position {
            known = facts
        } else {
            known = Facts(
                position: position, tables: try asking(journal.tables), checkpoints: try asking(journal.checkpoints),
                target: try asking(journal.lastDaemonRun)?.target ?? "")
            facts = known
        }
        let daemon = try DaemonPresence.of(journal, now: now)
        let view = StatusView(
            tables: TableStatus.all(
                tables: known.tables, checkpoints: known.checkpoints, daemon: daemon, now: now,
                place: Shell.more(context.place)),
            daemon: daemon, journal: journal.path, target: known.target)
        for table in view.tables { trends[table.table, default: TableTrend()].add(table) }
        return view
    }

    // MARK: Lines

    private mutating func say(_ view: StatusView) throws(ShakectlError) {
        for table in lines.changed(view.tables) {
            let rate = trends[table.table]?.rate
            try context.output.line(
                context.options.json
                    ? WatchLines.json(table, rate: rate).line : WatchLines.line(table, rate: rate, context.palette))
        }
        try context.output.flush()
    }

    private mutating func goesOn(_ waiting: Waiting, _ view: inout StatusView) throws(ShakectlError) -> Bool {
        let end = ContinuousClock.now + interval
        while true {
            switch waiting.wait(until: end) {
            case .ended: return false
            case .nobodyReads: throw .outputClosed
            case .resized, .key: continue
            case .due:
                view = try look(at: .now())
                return true
            }
        }
    }

    // MARK: A screen

    /// - Returns: once there is something to draw; `false` where it is over.
    private mutating func goesOn(
        _ terminal: Terminal, _ waiting: Waiting, _ view: inout StatusView
    ) async throws(ShakectlError) -> Bool {
        switch waiting.wait(until: ContinuousClock.now + interval) {
        case .ended, .nobodyReads: return false
        case .resized: return true
        case .due: break
        case .key:
            guard let keys = terminal.keys() else { return false }
            for key in keys {
                switch key {
                case UInt8(ascii: "q"), UInt8(ascii: "Q"), Self.control("C"), Self.control("\\"): return false
                case Self.control("Z"): terminal.suspend()
                default: break
                }
            }
        }
        view = try look(at: .now())
        return true
    }

    private static func control(_ letter: Unicode.Scalar) -> UInt8 { UInt8(letter.value & 0x1F) }
}

/// Waits for the first of all that a watch is woken by, without asking in between.
private final class Waiting {
    enum Cause {
        case due
        case key
        case resized
        /// By a signal.
        case ended
        case nobodyReads
    }

    private let keys: Bool
    private let pipe: (reading: Int32, writing: Int32)
    private let listening: Task<Void, Never>

    init(for terminal: Terminal?) async {
        keys = terminal?.readsKeys ?? false
        var ends: [Int32] = [-1, -1]
        _ = unsafe Glibc.pipe(&ends)
        pipe = (ends[0], ends[1])
        // Without a screen to give back, a hang-up is what it is for everybody: it ends this, or `nohup` keeps it off.
        let signals =
            terminal == nil
            ? await UnixSignalsSequence(trapping: .sigterm, .sigint)
            : await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup, .sigwinch)
        let writing = ends[1]
        // Detached, since this thread is the one that waits.
        listening = Task.detached {
            for await signal in signals {
                _ = DescriptorWriter.write([UInt8(ascii: signal == .sigwinch ? "r" : "e")], to: writing)
            }
        }
    }

    /// What it waits on stays open: a signal may be on its way.
    func end() { listening.cancel() }

    func wait(until time: ContinuousClock.Instant) -> Cause {
        while true {
            let left = (time - .now).milliseconds
            guard left > 0 else { return .due }
            var watched = [
                pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0),
                // Asked for nothing: it says all the same that whoever read has gone.
                pollfd(fd: STDOUT_FILENO, events: 0, revents: 0),
                pollfd(fd: keys ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&watched, nfds_t(watched.count), Int32(min(left, 3_600_000))) >= 0 else { continue }
            if watched[0].revents != 0 { return signal() }
            if watched[1].revents & Int16(POLLERR | POLLHUP) != 0 { return .nobodyReads }
            if watched[2].revents != 0 { return .key }
        }
    }

    private func signal() -> Cause {
        var byte: UInt8 = 0
        _ = unsafe read(pipe.reading, &byte, 1)
        return byte == UInt8(ascii: "r") ? .resized : .ended
    }
}
