/// `--start-at`: where `incr` begins in a shard that the journal doesn't know and whose ancestors it doesn't know.
enum StartPlace: String, CaseIterable, Sendable {
    case trimHorizon = "trim-horizon"
    case latest

    /// As it is spelled here, or as the service spells it (`TRIM_HORIZON`).
    init?(_ text: String) { self.init(rawValue: text.lowercased().replacing("_", with: "-")) }
}
