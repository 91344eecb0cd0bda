internal import ArgumentParser
internal import Journal

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "The whole journal, all shards and tables together, as it grows.",
        discussion: """
            Without --follow every event is shown, or with --limit the last N. With --follow the last 20 are shown (or \
            N), then each new one as soon as it is durable, until interrupted.

            Examples:
              shakectl tail --limit 50
              shakectl tail --follow
              shakectl tail --follow --json | jq -c 'select(.event == "faulted")'
            """)

    @Flag(help: "Wait for new events.")
    var follow = false

    @Option(parsing: .unconditional, help: .init("Only the last N events (with --follow: 20).", valueName: "n"))
    var limit: Int?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let limit, limit < 0 || (limit == 0 && !follow) {
            throw ValidationError("--limit expects a number of events, 1 or more (with --follow also 0)")
        }
    }

    func run() async throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        let lines = EventLines(palette: context.palette, namesSubject: true)
        if !common.json { try context.output.line(lines.heading) }

        var position = Position.origin
        if let limit = limit ?? (follow ? 20 : nil) { position = try journal.position(before: limit) }
        while true {
            let events = try asking { () throws(JournalError) in
                try journal.events(after: position, limit: Self.chunk)
            }
            for event in events {
                let view = EventView(event)
                try context.output.line(common.json ? view.json.line : lines.line(view))
            }
            position = events.last?.position ?? position
            guard events.count < Self.chunk else { continue }
            try context.output.flush()
            guard follow else { return }
            if context.output.hasLostItsReader { throw ShakectlError.outputClosed }
            // A poll, since LMDB tells nobody of another process's commit, and a file watch would not fire for writes
            // through its memory map. Asking costs one read of the meta page.
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Events held at once, however long the journal is.
    private static let chunk = 1000
}

extension Journal {
    /// The position after which `count` events follow, or fewer where there are no more.
    fileprivate func position(before count: Int) throws(ShakectlError) -> Position {
        let last = try asking(lastPosition)
        // Folded advances leave gaps, so `count` positions may hold fewer events: look further back until they suffice.
        var span = UInt64(max(count, 0))
        while true {
            let start = Position(last.number > span ? last.number - span : 0)
            let events = try asking { () throws(JournalError) in try self.events(after: start, limit: Int(span)) }
            if events.count >= count || start == .origin {
                return events.count > count ? events[events.count - count - 1].position : start
            }
            span *= 2
        }
    }
}
