internal import Dispatcher
internal import Foundation
internal import Glibc

/// `vitals.json` in the journal's folder: what the daemon last did. It is of the moment, so it is replaced, and not made durable.
enum VitalsFile {
    static let name = "vitals.json"

    /// A file that can't be written gets old, and that is noticed.
    static func write(_ signs: VitalSigns, in journal: String) {
        let (path, draft) = ("\(journal)/\(name)", "\(journal)/.\(name)")
        guard let bytes = try? JSONEncoder().encode(signs) else { return }
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        Glibc.close(file)
        guard written == bytes.count else { return }
        unsafe rename(draft, path)
    }

    /// What an earlier daemon said is no sign of this one.
    static func remove(from journal: String) { unsafe unlink("\(journal)/\(name)") }

    /// `nil` where there is none, or none that this version knows.
    static func read(from journal: String) -> VitalSigns? {
        guard let bytes = FileManager.default.contents(atPath: "\(journal)/\(name)") else { return nil }
        return try? JSONDecoder().decode(VitalSigns.self, from: bytes)
    }
}
