import Foundation
import Targets
import Testing

@Suite("A target's URL")
struct TargetURLTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func refusal(of url: String) -> String? {
        do {
            _ = try TargetURL.make(url)
            return nil
        } catch {
            guard case .misconfigured = error else { return nil }
            return error.description
        }
    }

    @Test("names its target as an operator may read it, and makes nothing yet")
    func names() throws {
        let path = scratch.file("a.db")
        #expect(try TargetURL.make("sqlite:\(path)").name == "sqlite:\(path)")
        #expect(try TargetURL.make("sqlite://\(path)").name == "sqlite:\(path)")
        #expect(try TargetURL.make("SQLite:\(path)").name == "sqlite:\(path)")
        #expect(try TargetURL.make("jsonl:\(path)").name == "jsonl:\(path)")
        #expect(try TargetURL.make("jsonl:-").name == "jsonl:-")
        #expect(try TargetURL.make("null:").name == "null:")
        #expect(try scratch.names() == [])
    }

    @Test("may hold a relative path, which is resolved at once")
    func relative() throws {
        let name = try TargetURL.make("jsonl:changes.jsonl").name
        #expect(name.hasPrefix("jsonl:/") && name.hasSuffix("/changes.jsonl"))
    }

    @Test("says whether the target stores positions")
    func positions() throws {
        #expect(try TargetURL.make("sqlite:\(scratch.file("a"))").storesPositions)
        #expect(try !TargetURL.make("jsonl:\(scratch.file("a"))").storesPositions)
        #expect(try !TargetURL.make("null:").storesPositions)
    }

    @Test(
        "with an unknown scheme is refused with the nearest known one",
        arguments: [
            ("sqllite:a", "did you mean sqlite:?"), ("sqlite3:a", "did you mean sqlite:?"),
            ("json:a", "did you mean jsonl:?"),
            ("nul:", "did you mean null:?"), ("a.jsonl", "did you mean jsonl:a.jsonl?"),
            ("a.db", "did you mean sqlite:a.db?"),
            ("sqlite", "a colon and a place are missing"), ("", "write a scheme"),
        ])
    func unknown(url: String, hint: String) throws {
        let text = try #require(refusal(of: url))
        #expect(text.contains(hint) && text.contains("Known: sqlite:PATH, jsonl:PATH"))
    }

    @Test("with an unknown scheme is never repeated in full, since it may hold a password")
    func secret() throws {
        let text = try #require(refusal(of: "postgres://ann:secret@host/base"))
        #expect(!text.contains("secret"))
    }

    @Test("with a path that can't be is refused with the reason", arguments: ["sqlite", "jsonl"])
    func paths(scheme: String) throws {
        try FileManager.default.createDirectory(atPath: scratch.file("folder"), withIntermediateDirectories: false)
        try scratch.write([], to: "file")
        for (path, reason) in [
            ("", "the path is missing"),
            (scratch.file("folder"), "is a folder"),
            (scratch.file("folder/"), "is a folder"),
            (scratch.file("missing/a"), "the folder \(scratch.file("missing")) can't be reached"),
            (scratch.file("file/a"), "can't be reached"),
            ("~/a", "write $HOME"),
            ("//host/a", "there is no host"),
            ("/dev/null", "neither a file nor absent"),
            ("a\0b", "zero byte"),
        ] {
            let text = try #require(refusal(of: "\(scheme):\(path)"), "\(path) was taken")
            #expect(text.contains(reason), "\(text)")
        }
        #expect(refusal(of: "null:a")?.contains("takes no path") == true)
    }

    @Test("sqlite::memory: names a file, for what is in memory only can't be durable")
    func memory() throws { #expect(try TargetURL.make("sqlite::memory:").name.hasSuffix("/:memory:")) }
}
