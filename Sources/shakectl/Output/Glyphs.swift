/// The signs that are more than ASCII, and what stands for them where a terminal can't show them.
struct Glyphs: Hashable, Sendable {
    /// From nothing to most.
    let ramp: [String]
    let ellipsis: String

    static let unicode = Glyphs(ramp: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], ellipsis: "…")
    static let ascii = Glyphs(ramp: ["_", ".", "-", "=", "*", "#"], ellipsis: "~")

    init(ramp: [String], ellipsis: String) {
        self.ramp = ramp
        self.ellipsis = ellipsis
    }

    /// As the locale says, by the variable that wins (locale(7)).
    init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let flat = locale.lowercased().filter { $0 != "-" }
        self = flat.contains("utf8") ? .unicode : .ascii
    }

    /// One sign a value, against the greatest of them; a blank where there is none.
    ///
    /// - Parameter floor: what a full sign stands for at least, so that noise looks like nothing.
    func bars(_ values: [Double?], floor: Double) -> String {
        let most = max(floor, values.lazy.compactMap(\.self).max() ?? 0)
        return values.map { value in
            guard let value else { return " " }
            guard value > 0, most > 0 else { return ramp[0] }
            // What is more than nothing is seen as more than nothing.
            let place = Int((value / most * Double(ramp.count - 1)).rounded(.up))
            return ramp[min(ramp.count - 1, max(1, place))]
        }.joined()
    }
}
