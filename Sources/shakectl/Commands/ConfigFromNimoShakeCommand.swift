internal import ArgumentParser
internal import Foundation
internal import NimoShake

struct ConfigFromNimoShakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "from-nimoshake",
        abstract: "Make a configuration from NimoShake's.",
        discussion: """
            Reads nimo-shake.conf and writes YAML for `shakectl run --config`, on standard output or into a file that isn't there \
            yet (with --json: one object with the YAML and what became of each key). Each key that has no counterpart is listed with what to do instead: as comments in the YAML, and on standard \
            error. Secrets are never taken over, neither keys of an account nor passwords in addresses.

            Examples:
              shakectl config from-nimoshake conf/nimo-shake.conf --output shake.yaml
              shakectl plan --config shake.yaml
            """)

    @Argument(help: .init("NimoShake's configuration.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: .init("Where the YAML goes (default: standard output).", valueName: "file"), completion: .file())
    var output: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        guard let text = try TextFile.read(file) else {
            throw ShakectlError.configuration("\(file): there is no such file; name NimoShake's nimo-shake.conf")
        }
        let draft: ConfigurationDraft
        do throws(NimoShakeError) {
            draft = ConfigurationTranslation.draft(try NimoShakeConfiguration(text, name: file))
        } catch {
            throw ShakectlError.nimoShake(error)
        }
        if let output { try write(draft.yaml, to: output) }
        let standard = StandardOutput()
        if common.json {
            try standard.line(Self.json(draft).line)
        } else if output == nil {
            try standard.lines(
                draft.yaml.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init))
        }
        try standard.flush()
        for note in draft.lost { StandardError.shared.line("shakectl: \(note.line)") }
    }

    static func json(_ draft: ConfigurationDraft) -> JSON {
        [
            "yaml": .string(draft.yaml),
            "import": .string(draft.importCommand),
            "keys": .array(
                draft.notes.map { note in
                    [
                        "key": .string(note.key), "value": .string(note.value), "kept": .bool(note.isKept),
                        "text": .string(note.text),
                    ]
                }),
        ]
    }

    /// What is there stays: it may be what a daemon runs with.
    private func write(_ yaml: String, to path: String) throws(ShakectlError) {
        do {
            try Data(yaml.utf8).write(to: URL(filePath: path), options: .withoutOverwriting)
        } catch {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw .notWritten(path: path, reason: isThere ? "it is there already" : error.localizedDescription)
        }
    }
}
