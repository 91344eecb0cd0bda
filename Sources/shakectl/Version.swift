/// What `--version` says and every `run_started` records.
enum Version {
    static let text = "0.1.0"
}
