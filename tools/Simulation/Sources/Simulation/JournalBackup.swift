internal import Foundation
internal import Journal
internal import StreamModel
internal import Targets

/// What `shakectl backup` and `restore` do while nobody runs the daemon.
struct JournalBackup: Sendable {
    private static let files = [DeadLetterFile.name]

    private let path: String
    /// What the judge knew of the journal then.
    private let known: Judge.ByJournal

    /// - Returns: `nil` where there is no journal, or one that says nothing yet of some table.
    init?(of folder: String, _ world: World) {
        let path = "\(folder).backup"
        guard let journal = try? Journal.open(folder, .reader, mapSize: DaemonProcess.mapSize) else { return nil }
        let known = world.known(by: journal)
        guard known.knows(world.schemas.map(\.name)) else { return nil }
        self.known = known
        self.path = path
        discard()
        do throws(JournalError) {
            _ = try journal.copy(to: path, with: Self.files, by: .operator("backup"))
        } catch {
            world.violate(.journal, "it can't be backed up: \(error)")
            return nil
        }
        world.note("operator: backup")
        world.say("operator: backup")
    }

    /// - Returns: whether it has taken the journal's place.
    func restore(to folder: String, _ world: World) -> Bool {
        try? FileManager.default.removeItem(atPath: folder)
        do throws(JournalError) {
            _ = try Journal.restore(path, to: folder, with: Self.files, by: .operator("restore"))
        } catch {
            world.violate(.journal, "it can't be restored: \(error)")
            return false
        }
        world.go(by: known)
        world.note("operator: restore")
        world.say("operator: restores the journal")
        return true
    }

    func discard() { try? FileManager.default.removeItem(atPath: path) }
}

extension RunStarted {
    fileprivate static func `operator`(_ role: String) -> RunStarted {
        RunStarted(role: role, version: "0", host: "simulated", pid: 2)
    }
}
