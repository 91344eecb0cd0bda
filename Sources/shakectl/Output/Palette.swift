internal import Glibc

/// Colours for a terminal, and nothing at all for a file or a pipe.
struct Palette: Hashable, Sendable {
    enum Colour: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case cyan = "36"
    }

    let isOn: Bool

    static let plain = Palette(isOn: false)

    init(isOn: Bool) { self.isOn = isOn }

    /// Colours only where a person looks: a terminal that isn't dumb, and no wish against it (no-color.org).
    init(descriptor: Int32, environment: [String: String]) {
        self.init(
            isOn: isatty(descriptor) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb")
    }

    func paint(_ text: String, _ colour: Colour?) -> String {
        guard isOn, let colour, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}
