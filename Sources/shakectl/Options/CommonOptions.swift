internal import ArgumentParser
internal import DynamoDB
internal import Logging

/// The options that every command has.
struct CommonOptions: ParsableArguments {
    @Option(
        help: .init(
            "The journal's folder (else SHAKE_JOURNAL, else 'journal' in the configuration, else ./shake.journal).",
            valueName: "dir"), completion: .directory)
    var journal: String?

    @Option(
        help: .init(
            "Configuration in YAML (else SHAKE_CONFIG, else ./shake.yaml if there is one). Flags win over it.",
            valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "JSON Lines on standard output: one object a line.")
    var json = false

    @Option(
        help: .init("How log lines are written to standard error: text or json (default: text).", valueName: "format"),
        completion: .list(LogFormat.allCases.map(\.rawValue)))
    var logFormat: String?

    @Option(
        help: .init(
            "What is logged: trace, debug, info, notice, warning, error or critical (default: info).",
            valueName: "level"), completion: .list(Logger.Level.allCases.map(\.rawValue)))
    var logLevel: String?

    /// What a command that is printed to be pasted must say as well, to be about the same journal: in another terminal there may
    /// be another environment.
    func place(_ environment: [String: String]) -> [String] {
        func said(_ flag: String?, _ variable: String) -> String? {
            flag ?? environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
        return (said(journal, "SHAKE_JOURNAL").map { ["--journal", $0] } ?? [])
            + (said(config, "SHAKE_CONFIG").map { ["--config", $0] } ?? [])
    }

    /// - Throws: `.usage`.
    func add(to settings: inout Settings) throws(ShakectlError) {
        try settings.take(journal, for: .journal)
        try settings.take(logFormat, for: .logFormat)
        try settings.take(logLevel, for: .logLevel)
    }
}

extension Settings {
    /// Takes over what a flag said, by the rule that the file is read by.
    ///
    /// - Throws: `.usage` that names the flag and what it expects.
    mutating func take(_ text: String?, for key: ConfigurationKey) throws(ShakectlError) {
        guard let text else { return }
        try take([text], for: key)
    }

    mutating func take(_ texts: [String], for key: ConfigurationKey) throws(ShakectlError) {
        guard !texts.isEmpty else { return }
        guard key.set(texts, in: &self) else {
            let found = texts.map { key == .endpoint ? SourceConfiguration.quoted($0) : "'\($0)'" }.joined(
                separator: ", ")
            throw .usage("\(key.flag) expects \(key.flagExpects), found \(found)")
        }
    }
}
