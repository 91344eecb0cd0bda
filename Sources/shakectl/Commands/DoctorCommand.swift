internal import ArgumentParser
internal import Foundation

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Whether all that a daemon needs is there and allowed, and what to do where not; changes nothing.",
        discussion: """
            Takes the options of `run`, and works beside a running daemon or before there is any journal. It looks at:
              configuration, limits, libraries   what was said, open files and addresses, libcurl and LMDB
              disk, journal, daemon              room and kind of the file system, whether the journal is whole (the newest \
            part of a long one), who works on it
              credentials, source, clock         which place gave the keys and whom they belong to, whether the endpoint \
            answers, how far the clock is off
              dynamodb:ACTION                    a call of each kind that a daemon makes, with the missing permission and \
            its resource (a Scan of one item consumes half a read capacity unit or one)
              stream, target, table              the stream's view type, what lies in the target and whether it answers, and \
            what else `plan` would say is in the way

            Each is ok, a warning, or a problem. Exits 0 where there is no problem, else with the code of the worst: 65, 74, 73, \
            77, 78, 64, 69, 75, the worst first.

            Examples:
              shakectl doctor --config /etc/shake.yaml
              shakectl doctor --table orders --target sqlite:replica.db --region eu-central-1
              shakectl doctor --json | jq -r 'select(.ok | not) | .check + ": " + .detail'
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = StandardOutput()
        let palette = Palette(descriptor: 1, environment: ProcessInfo.processInfo.environment)
        var doctor = Doctor(options, common) { finding throws(ShakectlError) in
            if common.json {
                try output.line(finding.json.line)
            } else {
                try output.lines(finding.lines(palette))
            }
            // What takes long is next, or ends the process.
            try output.flush()
        }
        try await doctor.run()
        if Diagnosis.exitCode(of: doctor.findings) != 0 { throw ShakectlError.ailing(doctor.findings) }
    }
}
