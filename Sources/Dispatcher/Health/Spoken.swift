package import StreamModel

/// Numbers, sizes and times as people read them. What a program reads is in the JSON output.
package enum Spoken {
    /// `1234567` as `1,234,567`.
    package static func count(_ number: UInt64) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// `1 record`, `2 records`.
    package static func count(_ number: UInt64, _ one: String) -> String {
        "\(count(number)) \(one)\(number == 1 ? "" : "s")"
    }

    /// `1 record waits as a dead letter`, and where to see it.
    package static func waiting(_ letters: Int) -> String {
        (letters == 1 ? "1 record waits as a dead letter" : "\(count(UInt64(letters), "record")) wait as dead letters")
            + ": `shakectl dead-letters` lists \(letters == 1 ? "it" : "them")"
    }

    package static func size(_ bytes: UInt64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        let tenths = Int64((value * 10).rounded())
        return tenths < 1000 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(tenths / 10) \(unit)"
    }

    /// The two largest units: `36 ms`, `3.2 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h`.
    package static func duration(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        // Not `0 s`, which says that there is none.
        if duration > .zero, milliseconds < 100 { return "\(max(1, milliseconds)) ms" }
        if milliseconds < 10_000 {
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        let seconds = milliseconds / 1000
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        var parts: [String] = []
        var rest = seconds
        for (length, name) in units {
            let value = rest / length
            rest %= length
            if value > 0 || !parts.isEmpty { parts.append("\(value) \(name)") }
            if parts.count == 2 { break }
        }
        if parts.count == 2, parts[1].hasPrefix("0 ") { parts.removeLast() }
        return parts.joined(separator: " ")
    }

    /// `2026-11-23 16:32:34.123`, in UTC: headings and labels say so.
    package static func time(_ time: Timestamp) -> String {
        let text = time.description.dropLast()  // the Z
        let halves = text.split(separator: ".", maxSplits: 1)
        let fraction = halves.count == 2 ? halves[1].prefix(3) : "000"
        return halves[0].replacing("T", with: " ") + "." + fraction
    }

    /// `a`, `a or b`, `a, b or c`.
    package static func choice(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension Duration {
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
