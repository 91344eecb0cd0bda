import Testing

@testable import PostgresTarget

@Suite("What PostgreSQL's SQLSTATE says")
struct ConsequenceTests {
    private enum Kind { case retry, refuse, stop }

    private static func kind(_ consequence: Consequence) -> Kind {
        switch consequence {
        case .retry: .retry
        case .refuseRecord: .refuse
        case .stop: .stop
        }
    }

    @Test(
        "is tried again where it may pass",
        arguments: [
            nil, "40001", "40P01", "08006", "08003", "57P01", "57P02", "57P03", "53300", "53100", "55P03", "25006",
            "57014",
        ])
    func retried(state: String?) { #expect(Self.kind(Consequence(state)) == .retry) }

    @Test(
        "refuses a record where it is the record's own",
        arguments: ["22P02", "22P05", "22003", "23505", "23514", "54000"])
    func refused(state: String) { #expect(Self.kind(Consequence(state)) == .refuse) }

    @Test(
        "stops where an operator must act, with what to do, also where nobody has thought of it",
        arguments: [
            "28P01", "28000", "3D000", "3F000", "42501", "42P01", "42703", "22012", "57P04", "XX001", "0A000", "99999",
        ])
    func stopped(state: String) {
        guard case .stop(let advice) = Consequence(state) else {
            Issue.record("\(state) does not stop")
            return
        }
        #expect(advice.count > 20)
    }
}
