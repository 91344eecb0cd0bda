internal import Dispatcher
internal import Prometheus

/// What is counted and timed while the daemon works. What is read off its state when somebody asks is in `MetricsView`.
enum MetricCatalogue {
    static let sourceRequests = "shake_source_requests_total"
    static let sourceRequest = "shake_source_request_seconds"
    static let sourceRetries = "shake_source_retries_total"
    static let journalCommit = "shake_journal_commit_seconds"

    static let declarations: [Registry.Declaration] = [
        .init(
            Instruments.Name.recordsApplied, .counter,
            "Stream records that are durable in the target, by this run of the daemon, replays included."),
        .init(
            Instruments.Name.bytesApplied, .counter,
            "Bytes of the pages, of streams and scans, whose records are durable in the target, by this run."),
        .init(
            Instruments.Name.itemsScanned, .counter, "Items of full scans that are durable in the target, by this run."),
        .init(
            Instruments.Name.recordsRefused, .counter,
            "Records that the target could not hold and that were put aside as dead letters, by this run."),
        .init(
            Instruments.Name.targetWrite, .histogram,
            "How long the target took for each group of batches it acknowledged.",
            bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]),
        .init(
            Instruments.Name.targetRetries, .counter,
            "Writes that the target refused for a while and that were tried again."),
        .init(
            journalCommit, .histogram, "How long each durable commit of the journal took.",
            bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]),
        .init(
            sourceRequests, .counter,
            "Calls of the source, each try by itself, by operation and by OK or the error's code."),
        .init(
            sourceRequest, .histogram, "How long each call of the source took, whatever came of it.",
            bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
        .init(sourceRetries, .counter, "Calls of the source that failed and were made again."),
    ]
}
