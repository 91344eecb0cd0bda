internal import StreamModel

/// The two ways in which NimoShake writes a time.
enum NimoShakeTime {
    /// Clocks on the earth are between 12 hours behind UTC and 14 hours before it.
    static let earliestZone: Duration = .seconds(14 * 3600)

    /// `ApproximateTime`, as Go's `Time.String` has it: `2026-11-23 16:32:34 +0000 UTC`.
    static func printed(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count >= 3 else { return nil }
        return Timestamp("\(parts[0])T\(parts[1])\(parts[2])")
    }

    /// `UpdateDate`, which is of its host's zone and says Z all the same: the earliest that it can be.
    static func earliest(_ text: String) -> Timestamp? {
        Timestamp(text).map { $0 + (.zero - earliestZone) }
    }
}
