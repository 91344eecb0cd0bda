internal import DynamoDB

/// What `doctor` has found out about one thing.
struct Diagnosis: Hashable, Sendable {
    enum Severity: String, Hashable, Sendable {
        case ok
        /// It works, and may not for ever.
        case warning
        /// The daemon would not begin, or a table of it would not go on.
        case problem
    }

    /// What was looked at, such as `disk` or `dynamodb:Scan`.
    let check: String
    /// The table that it is about; `nil`: all of them, or none.
    let table: String?
    let severity: Severity
    let detail: String
    /// What to do; empty where that is nothing, or said in `detail`.
    let advice: String
    /// What a command that meets the problem exits with (DESIGN 6).
    let exitCode: Int32?

    static func ok(_ check: String, table: String? = nil, _ detail: String) -> Diagnosis {
        Diagnosis(check: check, table: table, severity: .ok, detail: detail, advice: "", exitCode: nil)
    }

    static func warning(_ check: String, table: String? = nil, _ detail: String, do advice: String) -> Diagnosis {
        Diagnosis(check: check, table: table, severity: .warning, detail: detail, advice: advice, exitCode: nil)
    }

    static func problem(
        _ check: String, table: String? = nil, _ detail: String, do advice: String = "", exitCode: Int32
    ) -> Diagnosis {
        Diagnosis(check: check, table: table, severity: .problem, detail: detail, advice: advice, exitCode: exitCode)
    }

    /// Of an error, whose text says what to do.
    static func problem(_ check: String, table: String? = nil, _ error: ShakectlError) -> Diagnosis {
        problem(check, table: table, error.description, exitCode: error.exitCode)
    }

    /// What the command exits with: 0, or the code of the worst problem.
    static func exitCode(of findings: [Diagnosis]) -> Int32 {
        findings.compactMap(\.exitCode).max { badness(of: $0) < badness(of: $1) } ?? 0
    }

    /// What takes most to repair is worst: lost data, then the disk, then what an operator can set right, then what passes.
    private static func badness(of code: Int32) -> Int {
        let codes: [Int32] = [75, 69, 64, 78, 77, 73, 74, 65]
        return codes.firstIndex(of: code).map { $0 + 1 } ?? 0
    }

    var json: JSON {
        [
            "check": .string(check), "table": .string(table), "ok": .bool(severity != .problem),
            "severity": .string(severity.rawValue), "detail": .string(detail),
            "advice": advice.isEmpty ? .null : .string(advice),
            "exit_code": exitCode.map { .integer(Int64($0)) } ?? .null,
        ]
    }

    /// One line, and one of advice below it.
    func lines(_ palette: Palette) -> [String] {
        let subject = table.map { "\(check) \($0)" } ?? check
        let mark = palette.paint(TerminalText.padded(severity.rawValue, to: 8), severity.colour)
        let first = "\(mark) \(palette.paint("\(subject):", .bold)) \(TerminalText.printable(detail))"
        return [first] + (advice.isEmpty ? [] : ["         do: \(TerminalText.printable(advice))"])
    }
}

extension Diagnosis.Severity {
    fileprivate var colour: Palette.Colour {
        switch self {
        case .ok: .green
        case .warning: .yellow
        case .problem: .red
        }
    }
}
