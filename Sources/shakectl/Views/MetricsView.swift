internal import Dispatcher
internal import Journal
internal import Prometheus
internal import StreamModel

/// What is read off the daemon's state when somebody asks for metrics: the facts of `status`, and of the process.
///
/// Labels are bounded: names of tables, and words of this program. A table has thousands of shards in its life, so none has a label.
struct MetricsView: Sendable {
    let status: StatusView
    let signs: VitalSigns?
    let heldBytes: (now: Int, most: Int)
    let journal: (bytes: Int, lastPosition: UInt64)
    let process: ProcessFacts
    let started: Timestamp
    let now: Timestamp

    private typealias Sample = MetricFamily.Sample

    var families: [MetricFamily] { tables + target + daemon + processFamilies }

    // MARK: - Tables

    private var tables: [MetricFamily] {
        [
            MetricFamily(
                "shake_table_health", .gauge,
                "1 for what a table's health is, as status says it, 0 for what it is not.",
                oneOf(Health.allCases, "health") { $0.health }),
            MetricFamily(
                "shake_table_phase", .gauge, "1 for the phase that a table is in, 0 for others.",
                oneOf(Phase.allCases, "phase") { $0.phase }),
            MetricFamily(
                "shake_table_paused", .gauge, "1 where an operator has paused the table as a whole.",
                each { $0.pauses.contains { $0.shard == nil } ? 1 : 0 }),
            MetricFamily(
                "shake_shards", .gauge, "Shards that the journal knows, by their status.",
                status.tables.flatMap { table in
                    Status.allCases.map { status in
                        Sample(
                            [.init("table", table.table.text), .init("status", status.rawValue)],
                            Double(table.shards[status] ?? 0))
                    }
                }),
            MetricFamily(
                "shake_lag_seconds", .gauge,
                "How far the target is behind the source, by the shard that is furthest behind; a bound, not a measurement.",
                each { Self.seconds($0.lag) }),
            MetricFamily(
                "shake_shard_last_progress_seconds", .gauge,
                "How long ago the shard was read that, of those that are read now, was read longest ago.",
                each { Self.seconds($0.read) }),
            MetricFamily(
                "shake_shards_listed_seconds", .gauge, "How long ago the table's shards were last listed.",
                each { Self.seconds($0.listed) }),
            MetricFamily(
                "shake_dead_letters", .gauge,
                "Records that wait as dead letters until an operator has dealt with them.",
                each { Double($0.deadLetters) }),
            MetricFamily(
                "shake_lost_ranges", .gauge,
                "Ranges that the stream no longer had, and that stop the table or that nobody has acknowledged.",
                each { Double($0.losses.count) }),
            MetricFamily(
                "shake_scan_items", .gauge, "Items of the full scan under way that are durable in the target.",
                each { $0.scan.map { Double($0.items) } }),
            MetricFamily(
                "shake_scan_estimated_items", .gauge,
                "Items that the source says the table under scan has, up to six hours ago.",
                each { $0.scan.flatMap { $0.estimatedItems > 0 ? Double($0.estimatedItems) : nil } }),
            MetricFamily(
                "shake_scan_segments", .gauge, "Segments of the full scan under way.",
                each { $0.scan.map { Double($0.totalSegments) } }),
            MetricFamily(
                "shake_scan_segments_finished", .gauge,
                "Segments of the full scan under way that are read to their end.",
                each { $0.scan.map { Double($0.segmentsFinished) } }),
        ]
    }

    /// One sample a table, where there is something to say.
    private func each(_ value: (TableStatus) -> Double?) -> [MetricFamily.Sample] {
        status.tables.compactMap { table in value(table).map { Sample([.init("table", table.table.text)], $0) } }
    }

    /// One sample for each word: a sum over tables then counts, and a graph shows when it changed.
    private func oneOf<Word: RawRepresentable<String> & Equatable>(
        _ words: [Word], _ label: String, _ value: (TableStatus) -> Word?
    ) -> [MetricFamily.Sample] {
        status.tables.flatMap { table in
            words.map { word in
                Sample(
                    [.init("table", table.table.text), .init(label, word.rawValue)], value(table) == word ? 1 : 0)
            }
        }
    }

    // MARK: - The rest

    private var target: [MetricFamily] {
        let age = { (time: Timestamp?) in Self.seconds(time.map { max(.zero, now - $0) }) }
        return [
            one(
                "shake_target_acknowledged_seconds", "How long ago the target acknowledged a write.",
                age(signs?.target.acknowledged)),
            one(
                "shake_target_busy_seconds",
                "How long the target has not acknowledged the write that it was given; 0 where it has none.",
                signs.map { age($0.target.busySince) ?? 0 }),
        ]
    }

    private var daemon: [MetricFamily] {
        [
            MetricFamily(
                "shake_build_info", .gauge, "1; the label says which version runs.",
                [Sample([.init("version", Version.text)], 1)]),
            one(
                "shake_in_flight_bytes", "Bytes of pages that are held between source and target.",
                Double(heldBytes.now)),
            one(
                "shake_in_flight_limit_bytes", "Bytes of pages that may be held at once (--memory-budget).",
                Double(heldBytes.most)),
            one("shake_journal_size_bytes", "Bytes of the journal's file that are in use.", Double(journal.bytes)),
            MetricFamily(
                "shake_journal_events_total", .counter, "Events that were ever appended to the journal, by all runs.",
                [Sample([], Double(journal.lastPosition))]),
            one(
                "shake_vital_signs_seconds",
                "How long ago the daemon last said how it fares, which it does every other second.",
                Self.seconds(signs.map { max(.zero, now - $0.written) })),
        ]
    }

    /// As Prometheus' own client libraries name them.
    private var processFamilies: [MetricFamily] {
        [
            MetricFamily(
                "process_cpu_seconds_total", .counter, "Processor time of this process, of user and system together.",
                process.processorSeconds.map { [Sample([], $0)] } ?? []),
            one(
                "process_resident_memory_bytes", "Memory of this process that is resident.",
                process.residentBytes.map(Double.init)),
            one("process_open_fds", "Files that this process has open.", process.openFiles.map(Double.init)),
            one("process_max_fds", "Files that this process may have open.", process.mostFiles.map(Double.init)),
            one(
                "process_start_time_seconds", "When this process began, in seconds since 1970.",
                Double(started.microseconds) / 1e6),
        ]
    }

    private func one(_ name: String, _ help: String, _ value: Double?) -> MetricFamily {
        MetricFamily(name, .gauge, help, value.map { [Sample([], $0)] } ?? [])
    }

    private static func seconds(_ duration: Duration?) -> Double? {
        duration.map { Double($0.milliseconds) / 1000 }
    }
}
