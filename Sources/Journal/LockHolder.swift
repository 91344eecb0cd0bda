package import StreamModel

/// Who holds a journal's lock, as whoever holds it has written there: `{"host":"a","pid":7,"since":"…"}`, and `"role":"copy"` where
/// it is no daemon.
package struct LockHolder: Hashable, Sendable, CustomStringConvertible {
    package enum Role: Hashable, Sendable {
        /// Also where the file says nothing, as it did before there were others.
        case daemon
        /// `compact --copy`.
        case copying
    }

    package let role: Role
    /// `host a, pid 7, since …`.
    package let words: String
    /// When it said so; `nil` where that can't be told.
    package let since: Timestamp?

    private static let copyingMember = ",\"role\":\"copy\""

    init(_ text: String) {
        role = text.contains(Self.copyingMember) ? .copying : .daemon
        let plain = Self.withoutRole(text) ?? text
        let words = plain.filter { !"{}\"\n".contains($0) }.split(separator: ",").map { field in
            field.split(separator: ":", maxSplits: 1).joined(separator: " ")
        }
        self.words = words.isEmpty ? "unknown" : words.joined(separator: ", ")
        since = text.firstRange(of: "\"since\":\"").flatMap { label in
            Timestamp(String(text[label.upperBound...].prefix { $0 != "\"" }))
        }
    }

    package var description: String { role == .copying ? "`compact --copy`: \(words)" : words }

    /// The line that says it.
    static func text(host: String, pid: Int32, since: Timestamp, _ role: Role) -> String {
        "{\"host\":\"\(host)\",\"pid\":\(pid),\"since\":\"\(since)\"\(role == .copying ? copyingMember : "")}\n"
    }

    /// What a copying has written, without that it is one; `nil` for all else.
    static func withoutRole(_ text: String) -> String? {
        let plain = text.replacing(copyingMember, with: "")
        return plain == text ? nil : plain
    }
}
